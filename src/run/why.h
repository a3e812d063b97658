/* why.h - the sentence that goes with an error: what is wrong, where, and what to do. */
#ifndef PVT_RUN_WHY_H
#define PVT_RUN_WHY_H

struct pvt_why {
  char text[512];
};

/* Keeps the sentence, printf-like, and gives back status: return pvt_why_set(why, -EINVAL, "..."). What it quotes may
 * come from anywhere: it is cleaned. A macro, so that who checks one file at a time sees that status comes back. */
#define pvt_why_set(why, status, ...)                                                                                  \
  __extension__({                                                                                                      \
    int pvt_why_status = (status);                                                                                     \
    pvt_why_write(why, __VA_ARGS__);                                                                                   \
    pvt_why_status;                                                                                                    \
  })
void pvt_why_write(struct pvt_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What to do about a program that cannot be started: "raise the limit of processes (ulimit -u, pids.max)". */
const char *pvt_why_mend(int status);

#endif
