/* far_end.h — telephones at the far end of a local span, moved as the virtual card's are. 0 or errno. */
#ifndef FAR_END_H
#define FAR_END_H

#include <stddef.h>

/* name: "CHANNEL/hook" (a script), "CHANNEL/mic" (S16), "CHANNEL/bell_log", "CHANNEL/hook_log" (clears),
 * "all/hook" (of those named before), "CHANNEL/listen" ("1": a display that hears on-hook as well, its ear empty
 * at first; "0": it does not). */
int far_put(const char *name, const char *bytes, size_t count);
/* Also "CHANNEL/ear" (S16). The bytes are the caller's to free. */
int far_get(const char *name, char **bytes, size_t *count);

#endif
