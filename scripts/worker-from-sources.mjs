// A worker thread of the library when it runs from sources: Node 20 does not load TypeScript by itself.
import { register } from "tsx/esm/api";

register();
await import("../src/execution/worker.ts");
