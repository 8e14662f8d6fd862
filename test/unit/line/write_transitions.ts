import { TRANSITIONS_PAGE } from "./transitions";

await Bun.write(`${import.meta.dir}/../../../docs/line-transitions.md`, TRANSITIONS_PAGE());
