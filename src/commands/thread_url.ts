/**
 * Of a thread's file, by its path in src/ without ".ts". tools/dist.ts puts it beside the program, into the executable. There
 * import.meta.url is no guide: the bundler has written the path of the source into it, which is on the machine that built
 * it alone.
 */
export function threadUrl(path: string): string {
  return Bun.main.startsWith("/$bunfs/")
    ? new URL(`${path}.js`, Bun.pathToFileURL(Bun.main)).href
    : new URL(`../${path}.ts`, import.meta.url).href;
}
