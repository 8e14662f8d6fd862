/** `import(…, { with: { type: "file" } })` of a library gives its path, inside the executable or on disk. */
declare module "*.so" {
  const path: string;
  export default path;
}
