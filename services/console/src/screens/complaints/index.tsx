import { MatterList } from "../matters/list";

/** Open complaints over a portfolio. */
export default function ComplaintsScreen() {
  return <MatterList kind="complaint" />;
}
