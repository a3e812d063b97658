/* report_claims.c - the essay's claims, and what this run says to them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_html.h"

struct claim;
/* Writes the evidence as HTML and returns the verdict; NULL: this run measured nothing that answers. */
typedef const char *judge_fn(const struct claim *claim, const struct pvt_report_run *run, FILE *to);

struct claim {
  const char *text, *answered_by;
  judge_fn *judge;      /* NULL: no question of today answers */
  const char *question; /* for the judge; NULL: any */
  const char *rows;     /* how its rows' names begin; NULL: any */
};

static const char holds[] = "holds", fails[] = "does not hold", only_where[] = "holds only where",
                  unresolved[] = "not resolved here";

/* ---- Judges ---- */

static bool begins(const char *text, const char *with) {
  return with == NULL || strncmp(text, with, strlen(with)) == 0;
}

static void list_labels(FILE *to, const json_t *const *contrasts, const struct pvt_labels *labels, const char *verdict,
                        const char *title) {
  enum { LISTED_MAX = 6 };
  size_t listed = 0, all = 0;

  for (size_t i = 0; i < labels->count; i++) {
    char ratio[PVT_WORDS_BYTES];

    if (!pvt_words_is(contrasts[i], "verdict", verdict))
      continue;
    if (++all > LISTED_MAX)
      continue;
    pvt_words_ratio(pvt_words_number(contrasts[i], "ratio"), ratio);
    fprintf(to, "%s", listed++ == 0 ? title : "; ");
    pvt_html_print(to, "%s (%s)", labels->texts[i], ratio);
  }
  if (all > LISTED_MAX)
    fprintf(to, "; and %zu more", all - LISTED_MAX);
  fputs(all > 0 ? ". " : "", to);
}

/* Threads are cheaper: every model contrast says whether. */
static const char *judge_threads_cheaper(const struct claim *claim, const struct pvt_report_run *run, FILE *to) {
  size_t count = 0, kept = 0;
  const json_t **contrasts = pvt_words_contrasts(run->summary, run->index, claim->question, "model", false, &count);
  struct pvt_labels labels;
  struct pvt_tally tally;
  char *title;

  for (size_t i = 0; i < count && contrasts != NULL; i++)
    if (begins(pvt_words_string(contrasts[i], "arm"), claim->rows))
      contrasts[kept++] = contrasts[i];
  if (kept == 0 || pvt_labels_new(run->index, contrasts, kept, claim->question == NULL, &labels) < 0) {
    free(contrasts);
    return NULL;
  }
  tally = pvt_tally_of(contrasts, kept);
  title = pvt_words_model_title(run->index, contrasts, kept);
  pvt_html_print(to, "%s. ", title == NULL ? "" : title);
  free(title);
  list_labels(to, contrasts, &labels, "higher", "The thread is cheaper: ");
  list_labels(to, contrasts, &labels, "equal", "Equal: ");
  list_labels(to, contrasts, &labels, "lower", "The thread is dearer: ");
  list_labels(to, contrasts, &labels, "unresolved", "Not resolved: ");
  pvt_labels_done(&labels);
  free(contrasts);
  if (tally.higher == kept)
    return holds;
  return tally.higher > 0 ? only_where : tally.lower + tally.equal > 0 ? fails : unresolved;
}

/* Rows that were counted, and their launches: a row without its proof has neither. */
static size_t count_rows(const json_t *summary, const struct claim *claim, const char *axis, const char *value,
                         double *ret_launches) {
  size_t count = 0, i;
  json_t *each;

  *ret_launches = 0;
  json_array_foreach (json_object_get(summary, "rows"), i, each) {
    double launches = pvt_words_number(each, "launches");
    const char *has = pvt_words_axis(each, axis);

    if (!pvt_words_is(each, "question", claim->question) || !(launches > 0) || has[0] == '\0' ||
        (value != NULL && strcmp(has, value) != 0))
      continue;
    count++;
    *ret_launches += launches;
  }
  return count;
}

static size_t count_errors(const json_t *summary, const char *question) {
  size_t count = 0, length = strlen(question), i;
  json_t *each;

  json_array_foreach (json_object_get(summary, "errors"), i, each) {
    const char *row = pvt_words_string(each, "row");

    count += strncmp(row, question, length) == 0 && row[length] == '/';
  }
  return count;
}

static void tell_errors(FILE *to, size_t errors) {
  if (errors > 0)
    fprintf(to, " %zu %s failed in at least one launch, which does not count: see Failed.", errors,
            errors == 1 ? "row" : "rows");
}

static const char *judge_queue(const struct claim *claim, const struct pvt_report_run *run, FILE *to) {
  double launches;
  size_t rows = 0, i;
  json_t *each;

  launches = 0;
  json_array_foreach (json_object_get(run->summary, "rows"), i, each) {
    if (pvt_words_is(each, "question", claim->question) && strcmp(pvt_words_axis(each, "model"), "process") == 0 &&
        pvt_words_axis(each, "transport")[0] != '\0' && pvt_words_number(each, "launches") > 0) {
      rows++;
      launches += pvt_words_number(each, "launches");
    }
  }
  if (rows == 0)
    return NULL;
  fprintf(to,
          "Messages crossed between processes, each once and in order, in %.0f launches of %zu rows. That pool workers "
          "need a manager's proxy is a rule of Python's and not measured here: these queues are inherited.",
          launches, rows);
  tell_errors(to, count_errors(run->summary, claim->question));
  return holds;
}

static const char *judge_lock(const struct claim *claim, const struct pvt_report_run *run, FILE *to) {
  double launches, atomic_launches;
  size_t rows = count_rows(run->summary, claim, "lock", NULL, &launches);
  size_t atomic_rows = count_rows(run->summary, claim, "floor", NULL, &atomic_launches);

  if (rows == 0)
    return NULL;
  fprintf(to, "With a lock no change was lost, and one holder at a time was proved, in %.0f launches of %zu rows.",
          launches, rows);
  if (atomic_rows > 0)
    fprintf(to,
            " Without a lock, by one atomic instruction, none was lost either (%.0f launches of %zu rows): a lock is "
            "needed where the change is more than that.",
            atomic_launches, atomic_rows);
  fputs(" That a plain change without either loses updates is not measured here.", to);
  tell_errors(to, count_errors(run->summary, claim->question));
  return atomic_rows > 0 ? only_where : holds;
}

/* ---- The claims ---- */

static const struct claim claims[] = {
    {"A process holds resources, a thread runs; threads share memory, each process has its own copy.", "create, lock",
     NULL, NULL, NULL},
    {"Too many processes or threads make the overhead rise sharply.", "pool", NULL, NULL, NULL},
    {"CPU-bound work wants cores; IO-bound work (disk, network) does not.", "pool, gil, server", NULL, NULL, NULL},
    {"One thread with asynchronous IO can carry many tasks.", "pool, server", NULL, NULL, NULL},
    {"Many tasks are carried by a master and its workers.", "pool", NULL, NULL, NULL},
    {"Processes are stable: one crash does not reach the others; a thread's crash ends them all.", "crash", NULL, NULL,
     NULL},
    {"Creating a process is expensive; fork is bearable on Unix (Windows cannot be tested on Linux).", "create",
     judge_threads_cheaper, "create", "create/reaped/"},
    {"Threads are usually faster than processes.", "every comparison of models", judge_threads_cheaper, NULL, NULL},
    {"Apache went from processes to processes of threads for stability and efficiency.", "server, crash", NULL, NULL,
     NULL},
    {"Start both, then join, is parallel; start, join, start, join is serial.", "create", NULL, NULL, NULL},
    {"A pool keeps the number of processes constant; by default it is the number of cores.", "pool", NULL, NULL, NULL},
    {"A queue works between processes; between the workers of a pool it needs a manager's proxy.", "queue", judge_queue,
     "queue", NULL},
    {"A variable changed by threads needs a lock; one holder at a time.", "lock", judge_lock, "lock", NULL},
    {"Thread-local storage isolates.", "tls", NULL, NULL, NULL},
    {"The GIL, released every 100 bytecodes, lets 100 threads on 100 cores use one.", "gil", NULL, NULL, NULL},
    {"Many processes, each with its own GIL, use all cores.", "gil", NULL, NULL, NULL},
};

void pvt_report_claims(FILE *to, const struct pvt_report_run *run) {
  bool is_invalid = json_is_string(json_object_get(run->summary, "invalid"));

  fputs(
      "<h2>The essay's claims</h2>\n<p class=\"quiet\">pvt began with an essay on processes and threads; this is what "
      "this run says to it.</p>\n<div class=\"scroll\"><table>\n<tr><th class=\"n\">#</th><th>claim</th>"
      "<th>verdict</th><th>evidence</th></tr>\n",
      to);
  for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
    char *evidence = NULL;
    size_t size;
    FILE *memory = open_memstream(&evidence, &size);
    const char *verdict = NULL;

    if (memory != NULL) {
      verdict = claims[i].judge == NULL ? NULL : claims[i].judge(&claims[i], run, memory);
      fclose(memory);
    }
    fprintf(to,
            "<tr><td class=\"n\">%zu</td><td class=\"claim\">%s</td><td class=\"word\"><strong>%s</strong></td><td>",
            i + 1, claims[i].text,
            verdict == NULL ? "not measured here"
            : is_invalid    ? unresolved
                            : verdict);
    if (verdict == NULL)
      fprintf(to, "<span class=\"quiet\">answered by: %s</span>", claims[i].answered_by);
    else
      fprintf(to, "%s%s", is_invalid ? "The run is invalid. " : "", evidence == NULL ? "" : evidence);
    fputs("</td></tr>\n", to);
    free(evidence);
  }
  fputs("</table></div>\n", to);
}
