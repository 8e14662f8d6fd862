/** It cannot go on. The message says what to do. */
export class ApplianceError extends Error {}
