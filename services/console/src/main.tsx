import "./styles/tokens.css";
import "./styles/app.css";
import "./styles/console.css";
import { createRoot } from "react-dom/client";
import { startOutbox } from "./api/outbox";
import { App } from "./app/app";
import { activateLocale } from "./i18n";
import { showPreferences } from "./lib/preferences";

showPreferences();
await activateLocale();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
// Where the browser keeps nothing (private windows), nothing can have waited.
startOutbox().catch(() => undefined);
