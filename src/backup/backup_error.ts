/** What cannot be done, in one line that says what to do. */
export class BackupError extends Error {}
