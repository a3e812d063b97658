/* why.h - the sentence that goes with an error: what is wrong, where, and what to do. */
#ifndef PVT_RUN_WHY_H
#define PVT_RUN_WHY_H

struct pvt_why {
  char text[512];
};

/* Keeps the sentence, printf-like, and returns status: return pvt_why_set(why, -EINVAL, "..."). What it quotes may come
 * from anywhere: it is cleaned. */
int pvt_why_set(struct pvt_why *why, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What to do about a program that cannot be started: "raise the limit of processes (ulimit -u, pids.max)". */
const char *pvt_why_mend(int status);

#endif
