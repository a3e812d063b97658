/*
 * question.h - a harness declares here what it can measure: its rows, and which of them are compared.
 *
 * bench/<question>.c defines pvt_question_declare(). It is compiled once and linked twice: into pvt-<question>, the
 * Google Benchmark program that lists, times and reports, and into pvt-<question>-subject, the libc-only program in
 * which every row is measured.
 */
#ifndef PVT_QUESTION_H
#define PVT_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "proof.h"
#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PVT_AXES_MAX = 10, PVT_AXIS_BYTES = 40, PVT_ID_BYTES = 320 };

enum pvt_profile { PVT_QUICK = 1 << 0, PVT_STANDARD = 1 << 1, PVT_FULL = 1 << 2, PVT_ALWAYS = 7 };
/* From standard on: what is too slow, or too fine a point, for a first look. */
enum { PVT_NOT_QUICK = PVT_STANDARD | PVT_FULL };

enum pvt_timing {
  PVT_COUNTED, /* N operations, N fixed once per plan */
  PVT_WINDOWED /* a fixed time; the operations done in it are counted */
};

struct pvt_axis {
  char name[PVT_AXIS_BYTES], value[PVT_AXIS_BYTES];
};

struct pvt_row;
/* Does request->operations, or as many as fit the window, and says what it did. Returns 0 or -errno with a why. */
typedef int pvt_measure_fn(const struct pvt_row *row, const struct pvt_request *request,
                           struct pvt_measure *ret_measure);

/* One benchmark: the question at one point of its axes. All rows are times: ns per operation, lower is better. */
struct pvt_row {
  char name[PVT_NAME_BYTES]; /* question/variant/axis:value/...: [a-z0-9_.:/-] */
  struct pvt_axis axes[PVT_AXES_MAX];
  unsigned axes_count;
  pvt_measure_fn *measure;
  const void *subject; /* the harness's own description of the row, from pvt_question_keep */
  enum pvt_timing timing;
  unsigned profiles;        /* enum pvt_profile, or'ed */
  uint32_t proofs;          /* those without which it does not count; 0 is refused */
  unsigned workers;         /* a window is long enough for this many of them; 0 counts as 1 */
  uint64_t operation_ns;    /* counted rows: a first guess, where the calibration starts. 0: 1000 */
  const char *environment;  /* "NAME=value" for the subject, or NULL */
  char skip[PVT_WHY_BYTES]; /* why it cannot run here, a sentence; empty: it can */
};

enum pvt_contrast_kind { PVT_MODEL, PVT_SHARING, PVT_LADDER, PVT_FLOOR, PVT_PEER, PVT_SAME, PVT_KINDS };
const char *pvt_contrast_kind_name(enum pvt_contrast_kind kind);

/* Value = cost of arm / cost of against. */
struct pvt_contrast {
  char id[PVT_ID_BYTES]; /* the rows' common path, with a-vs-b where they differ */
  enum pvt_contrast_kind kind;
  size_t arm, against; /* positions in rows */
  bool is_null;        /* it must come out near 1, or the run is invalid (design section 5) */
};

struct pvt_question {
  const char *name;  /* file name of the harness */
  const char *title; /* the question itself, with its mark */
  struct pvt_row *rows;
  size_t rows_count;
  struct pvt_contrast *contrasts;
  size_t contrasts_count;
  void **kept;
  size_t kept_count;
  int status; /* the first error of a declaration: -ENOMEM, -ENAMETOOLONG, -EEXIST (row named twice), -EINVAL */
  char why[PVT_WHY_BYTES];
};

/* Defined once in each bench/<question>.c: sets name and title, adds rows and contrasts. Errors stay in status. */
void pvt_question_declare(struct pvt_question *question, const struct pvt_host *host);

/* Declares and checks the whole. Returns 0 or question->status. Release with pvt_question_done. */
int pvt_question_init(struct pvt_question *question, const struct pvt_host *host);
void pvt_question_done(struct pvt_question *question);
const struct pvt_row *pvt_question_find(const struct pvt_question *question, const char *row);

/* ---- For declarations. None fails visibly: after an error they return scrap memory and keep the status. ---- */

/* A new row "question/variant"; axes are added with pvt_row_axis. Valid until the next row is added. */
struct pvt_row *pvt_question_row(struct pvt_question *question, const char *variant);
/* Adds "/axis:value" to the name; the value is printf-like. */
void pvt_row_axis(struct pvt_question *question, struct pvt_row *row, const char *axis, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The first reason counts. */
void pvt_row_skip(struct pvt_row *row, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The usual skips: "needs 2 CPUs, this machine has 1" and the like. */
void pvt_row_needs_cpus(struct pvt_row *row, const struct pvt_host *host, unsigned cpus);
void pvt_row_needs_workers(struct pvt_row *row, const struct pvt_host *host, unsigned workers);
void pvt_row_needs_bytes(struct pvt_row *row, const struct pvt_host *host, uint64_t bytes);
/* Copies the bytes into memory that lives as long as the question. */
const void *pvt_question_keep(struct pvt_question *question, const void *bytes, size_t size);

/* One contrast, by the rows' full names. Unknown names are an error. */
struct pvt_contrast *pvt_question_contrast(struct pvt_question *question, enum pvt_contrast_kind kind, const char *arm,
                                           const char *against);
/* Every pair of rows that agree in variant and in all axes but this one, where the second has that value. */
void pvt_question_compare(struct pvt_question *question, enum pvt_contrast_kind kind, const char *axis,
                          const char *against);

#ifdef __cplusplus
}
#endif
#endif
