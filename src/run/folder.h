/* folder.h - where runs lie. */
#ifndef PVT_RUN_FOLDER_H
#define PVT_RUN_FOLDER_H

#include "why.h"

enum { PVT_FOLDER_BYTES = 4096 };

/* "results/<time>-<host>", UTC. */
void pvt_folder_default(char ret_folder[PVT_FOLDER_BYTES]);
/* Makes the folder and those above it, and sees that a file can be written there. -errno with the path in why. */
int pvt_folder_make(const char *folder, struct pvt_why *why);
/* The run below "results" that was written to last. -ENOENT if there is none. */
int pvt_folder_newest(char ret_folder[PVT_FOLDER_BYTES], struct pvt_why *why);

#endif
