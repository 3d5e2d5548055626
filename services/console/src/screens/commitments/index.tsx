import { MatterList } from "../matters/list";

/** Promises of ours over a portfolio. */
export default function CommitmentsScreen() {
  return <MatterList kind="promise" />;
}
