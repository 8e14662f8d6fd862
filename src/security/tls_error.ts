/** TLS cannot be had. One line. */
export class TlsError extends Error {}
