/* clean.h - texts from files and from programs, made fit for a terminal. */
#ifndef PVT_RUN_CLEAN_H
#define PVT_RUN_CLEAN_H

#include <jansson.h>

/* Replaces by '?' what could move a terminal or is not UTF-8. */
void pvt_clean_text(char *text);
/* The same for every string in it; names of members are left alone. 0 or -ENOMEM. */
int pvt_clean_json(json_t *json);

#endif
