import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { compile } from "./scripts/compile.mjs";

// `import { messages } from "../locales/pl.po"`: compiled here, so that the page needs no parser.
function po(): Plugin {
  return {
    name: "po",
    transform(code, id) {
      if (!id.endsWith(".po")) return null;
      return { code: `export const messages = ${JSON.stringify(compile(code))};`, map: null };
    },
  };
}

export default defineConfig({
  plugins: [
    react(),
    po(),
    {
      ...optimizeLocales.vite({ locales: ["en-US", "pl-PL", "el-GR", "sk-SK", "ru-RU"] }),
      enforce: "pre",
    },
  ],
  build: {
    outDir: process.env.RAPPORT_CONSOLE_OUT ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/v1": process.env.RAPPORT_API ?? "http://127.0.0.1:8080",
      "/readyz": process.env.RAPPORT_API ?? "http://127.0.0.1:8080",
      "/sign-in": process.env.RAPPORT_API ?? "http://127.0.0.1:8080",
    },
  },
  // A busy machine is no failure: the time of the whole run is ctest's.
  test: { include: ["src/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
} as Parameters<typeof defineConfig>[0]);
