/** Imported `with { type: "file" }`: a path, inside the executable or on disk. */
declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}
