/** Nothing typed was wrong, but it cannot start: a port in use, a file that is not there. One line that says what to do. */
export class StartError extends Error {}
