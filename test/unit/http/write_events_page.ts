import { EVENTS_PAGE } from "./events_page";

await Bun.write(`${import.meta.dir}/../../../docs/events.md`, EVENTS_PAGE());
