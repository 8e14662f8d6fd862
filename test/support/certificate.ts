/** For a name, self-signed. */
export async function certificate(name: string): Promise<{ key: string; cert: string }> {
  const command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const made = Bun.spawn(
    [...command, "-keyout", "-", "-out", "-", "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`],
    { stderr: "ignore" },
  );
  const pem = await new Response(made.stdout).text();
  const part = (kind: string): string =>
    new RegExp(`-----BEGIN ${kind}-----[\\s\\S]*?-----END ${kind}-----\n`).exec(pem)?.[0] ?? "";
  return { key: part("PRIVATE KEY"), cert: part("CERTIFICATE") };
}
