/* harness.h - starts a harness, reads its JSON, and lets nothing of it outlive the command. */
#ifndef PVT_RUN_HARNESS_H
#define PVT_RUN_HARNESS_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "../reaper.h"
#include "why.h"

extern const char *const pvt_harness_questions[]; /* every harness of this build; ends with NULL */

/* Set by the command's signal handler; a harness that is running is then killed and -EINTR returned. */
extern volatile sig_atomic_t pvt_harness_interrupted;

/* Runs pvt-<question> with those arguments (NULL-ended, without the program's name) and parses the one JSON object that
 * it writes to descriptor 3, or to standard output if from_stdout. Returns 0; -EINTR; -ETIMEDOUT; -EPIPE (the reaper
 * is gone: nothing may be started any more); -ECHILD (it did not start, or was killed); -EPROTO, with a why that says
 * how it ended and the last line of its standard error. *ret_json is the caller's. An exit status other than 0 with
 * valid JSON is not an error here: the JSON says what was wrong. */
int pvt_harness_run(const struct pvt_reaper *reaper, const char *question, const char *const *arguments,
                    bool from_stdout, unsigned timeout_s, json_t **ret_json, struct pvt_why *why);

#endif
