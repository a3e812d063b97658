// Every harness's main: a normal Google Benchmark program whose rows are measured in its subject, and whose lists and
// launches pvt can read. The only C++ in the tree.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "../clock.h"
#include "launch.h"
#include "record.h"

namespace {

enum Exit { kFine = 0, kUsage = 2, kFailed = 99 };
constexpr uint64_t kMostSeconds = 86400, kMost = INT64_MAX;

struct Options {
  bool list = false;
  std::string launch, calibrate;
  uint64_t operations = 0, window_ns = 0, target_ns = 10000000;
  unsigned timeout_s = 60;
  int record_fd = STDOUT_FILENO;
};

const char kHelp[] =
    "\nOptions of pvt:\n"
    "  --list                     rows and contrasts as JSON, and why a row cannot run here\n"
    "  --pvt_launch=ROW           measure this row alone: a warm-up, then 5 repetitions\n"
    "  --pvt_operations=N         operations of each repetition (counted rows)\n"
    "  --pvt_window_ns=N          length of each repetition (windowed rows)\n"
    "  --pvt_calibrate=ROW        find N for a repetition of --pvt_target_ns (default 10000000)\n"
    "  --pvt_timeout_s=N          a repetition without an answer for so long is an error (default 60)\n"
    "  --pvt_record=FD            write the JSON of the launch or calibration there (default 1)\n";

bool Take(const char *argument, const char *flag, std::string *value) {
  size_t length = strlen(flag);
  if (strncmp(argument, flag, length) != 0 || argument[length] != '=')
    return false;
  *value = argument + length + 1;
  return true;
}

bool Number(const std::string &text, uint64_t *number) {
  char *end = nullptr;
  errno = 0;
  *number = strtoull(text.c_str(), &end, 10);
  return errno == 0 && !text.empty() && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

// Takes pvt's own options out of argv and leaves the others to Google Benchmark.
bool Parse(int *argc, char **argv, Options *options) {
  int kept = 1;
  uint64_t timeout_s = options->timeout_s, fd = STDOUT_FILENO;
  const struct {
    const char *flag;
    uint64_t *where, least, most;
  } numbers[] = {{"--pvt_operations", &options->operations, 0, kMost},
                 {"--pvt_window_ns", &options->window_ns, 0, kMost},
                 {"--pvt_target_ns", &options->target_ns, 1, kMost},
                 {"--pvt_timeout_s", &timeout_s, 1, kMostSeconds},
                 {"--pvt_record", &fd, 0, 1 << 20}};
  for (int i = 1; i < *argc; i++) {
    std::string text;
    bool taken = strcmp(argv[i], "--list") == 0;
    if (taken)
      options->list = true;
    else
      taken = Take(argv[i], "--pvt_launch", &options->launch) || Take(argv[i], "--pvt_calibrate", &options->calibrate);
    for (const auto &number : numbers) {
      if (taken || !Take(argv[i], number.flag, &text))
        continue;
      taken = true;
      if (!Number(text, number.where) || *number.where < number.least || *number.where > number.most) {
        fprintf(stderr, "%s: %s: give a number from %llu to %llu\n", argv[0], argv[i],
                static_cast<unsigned long long>(number.least), static_cast<unsigned long long>(number.most));
        return false;
      }
    }
    if (!taken)
      argv[kept++] = argv[i];
  }
  options->timeout_s = static_cast<unsigned>(timeout_s);
  options->record_fd = static_cast<int>(fd);
  *argc = kept;
  return true;
}

int Emit(json_t *json, int fd) {
  int status = json == nullptr ? -1 : json_dumpfd(json, fd, JSON_COMPACT);
  json_decref(json);
  if (status == 0 && write(fd, "\n", 1) == 1)
    return kFine;
  fprintf(stderr, "cannot write the record: %s\n", strerror(errno));
  return kFailed;
}

// What the registered functions share; rows of one program run one after the other.
struct Harness {
  const pvt_question *question;
  const pvt_host *host;
  Options options;
  pvt_launch *launch = nullptr;
  const pvt_row *launched = nullptr, *failed = nullptr;
  pvt_record record = {};
};

pvt_launch *Subject(Harness *harness, const pvt_row *row, std::string *why) {
  if (harness->launched == row)
    return harness->launch;
  pvt_launch_free(harness->launch);
  harness->launch = nullptr;
  harness->launched = nullptr;
  int status = pvt_launch_new(harness->question->name, row, &harness->launch);
  if (status < 0)
    *why = std::string("cannot start the subject: ") + strerror(-status);
  else
    harness->launched = row;
  return harness->launch;
}

void NotStarted(Harness *harness, const std::string &why) {
  harness->record.status = -ECHILD;
  snprintf(harness->record.why, sizeof harness->record.why, "%s", why.c_str());
}

// Google Benchmark 1.7.1 aborts when repetitions of one benchmark differ in iterations: a failed one counts its own
// too.
void Fail(benchmark::State &state, const char *why) {
  while (state.KeepRunningBatch(state.max_iterations))
    state.SetIterationTime(0);
  state.SkipWithError(why);
}

void Run(benchmark::State &state, Harness *harness, const pvt_row *row) {
  std::string why;
  pvt_launch *launch = Subject(harness, row, &why);
  static pvt_measure measure;
  uint64_t window_ns =
      harness->options.window_ns != 0 ? harness->options.window_ns : pvt_launch_window_ns(row, harness->host);
  uint64_t operations = static_cast<uint64_t>(state.max_iterations);
  // Google Benchmark 1.7.1 reads through a null pointer when the first repetition failed and later ones did not.
  if (harness->failed == row) {
    Fail(state, "an earlier repetition failed");
    return;
  }
  if (launch == nullptr) {
    NotStarted(harness, why);
    harness->failed = row;
    Fail(state, why.c_str());
    return;
  }
  int status = pvt_launch_measure(launch, row, operations, window_ns, harness->options.timeout_s, &measure);
  pvt_record_add(&harness->record, &measure);
  if (status < 0) {
    harness->failed = row;
    Fail(state, measure.why);
    return;
  }
  double span_s = static_cast<double>(measure.span_ns) * 1e-9;
  if (row->timing == PVT_COUNTED)
    while (state.KeepRunningBatch(state.max_iterations))
      state.SetIterationTime(span_s);
  else
    while (state.KeepRunning())
      state.SetIterationTime(span_s / static_cast<double>(measure.operations));
  double done = static_cast<double>(measure.operations);
  state.counters["cpu_ns"] = static_cast<double>(measure.cpu_ns) / done;
  state.counters["voluntary"] = static_cast<double>(measure.voluntary) / done;
  state.counters["involuntary"] = static_cast<double>(measure.involuntary) / done;
  state.counters["faults"] = static_cast<double>(measure.faults) / done;
  if (measure.quantiles.count > 0) {
    state.counters["p50_ns"] = static_cast<double>(measure.quantiles.p50);
    state.counters["p99_ns"] = static_cast<double>(measure.quantiles.p99);
  }
}

benchmark::internal::Benchmark *Register(Harness *harness, const pvt_row *row) {
  auto *added =
      benchmark::RegisterBenchmark(row->name, [harness, row](benchmark::State &state) { Run(state, harness, row); });
  added->UseManualTime()->Unit(benchmark::kNanosecond);
  if (row->timing == PVT_WINDOWED)
    added->Iterations(1);
  return added;
}

const pvt_row *Find(const Harness &harness, const std::string &name) {
  const pvt_row *row = pvt_question_find(harness.question, name.c_str());
  if (row == nullptr)
    fprintf(stderr, "%s: no such row: see --list\n", name.c_str());
  else if (row->skip[0] != '\0') {
    fprintf(stderr, "%s: cannot run here: %s\n", name.c_str(), row->skip);
    row = nullptr;
  }
  return row;
}

int Calibrate(Harness *harness) {
  const pvt_row *row = Find(*harness, harness->options.calibrate);
  static pvt_measure measure;
  std::string why;
  uint64_t operations = 1, window_ns = 0;
  if (row == nullptr)
    return kUsage;
  pvt_launch *launch = Subject(harness, row, &why);
  if (launch != nullptr && row->timing == PVT_COUNTED) {
    if (pvt_launch_calibrate(launch, row, harness->options.target_ns, harness->options.timeout_s, &measure,
                             &operations) < 0)
      why = measure.why;
  } else if (launch != nullptr) {
    window_ns = pvt_launch_window_ns(row, harness->host); // nothing to find: it follows from the row and the host
  }
  json_t *json =
      json_pack("{s:s, s:s, s:I, s:I}", "row", row->name, "status", why.empty() ? "ok" : "error", "operations",
                static_cast<json_int_t>(operations), "window_ns", static_cast<json_int_t>(window_ns));
  if (!why.empty())
    json_object_set_new(json, "why", json_string(why.c_str()));
  int status = Emit(json, harness->options.record_fd);
  return why.empty() ? status : kFailed;
}

// One row, warmed up, five times: what pvt run asks for.
int Launch(Harness *harness) {
  const pvt_row *row = Find(*harness, harness->options.launch);
  static pvt_measure measure;
  Options &options = harness->options;
  std::string why;
  if (row == nullptr)
    return kUsage;
  harness->record.row = row;
  harness->record.start_ns = pvt_clock_ns();
  pvt_launch *launch = Subject(harness, row, &why);
  if (launch == nullptr)
    NotStarted(harness, why);
  if (launch != nullptr && row->timing == PVT_COUNTED && options.operations == 0 &&
      pvt_launch_calibrate(launch, row, options.target_ns, options.timeout_s, &measure, &options.operations) < 0)
    pvt_record_add(&harness->record, &measure);
  if (row->timing == PVT_WINDOWED)
    options.operations = 1;
  options.window_ns = options.window_ns != 0 ? options.window_ns : pvt_launch_window_ns(row, harness->host);
  harness->record.operations = options.operations;
  harness->record.window_ns = row->timing == PVT_WINDOWED ? options.window_ns : 0;
  if (launch != nullptr && harness->record.status == 0 &&
      pvt_launch_measure(launch, row, options.operations, options.window_ns, options.timeout_s, &measure) < 0)
    pvt_record_add(&harness->record, &measure); // the warm-up itself is thrown away, its failure is not
  if (harness->record.status == 0) {
    Register(harness, row)
        ->Iterations(static_cast<benchmark::IterationCount>(options.operations))
        ->Repetitions(PVT_REPETITIONS);
    benchmark::RunSpecifiedBenchmarks();
  }
  int failed = harness->record.status < 0;
  int status = Emit(pvt_record_json(&harness->record), options.record_fd);
  return failed ? kFailed : status;
}

int RunAll(Harness *harness) {
  for (size_t i = 0; i < harness->question->rows_count; i++)
    if (harness->question->rows[i].skip[0] == '\0')
      Register(harness, &harness->question->rows[i]);
  for (size_t i = 0; i < harness->question->rows_count; i++)
    if (harness->question->rows[i].skip[0] != '\0')
      fprintf(stderr, "skipped: %s: %s\n", harness->question->rows[i].name, harness->question->rows[i].skip);
  benchmark::RunSpecifiedBenchmarks();
  return harness->record.status < 0 ? kFailed : kFine;
}

} // namespace

int main(int argc, char **argv) {
  Harness harness;
  pvt_host host;
  pvt_question question;
  int status;

  signal(SIGPIPE, SIG_IGN);
  while ((status = open("/dev/null", O_RDWR)) >= 0 && status <= STDERR_FILENO)
    continue; // so that nothing that is opened from here on is taken for a standard stream
  close(status);
  if (!Parse(&argc, argv, &harness.options))
    return kUsage;
  pvt_host_read(&host);
  if (pvt_question_init(&question, &host) < 0) {
    fprintf(stderr, "%s: bad declaration: %s\n", argv[0], question.why);
    return kFailed;
  }
  harness.question = &question;
  harness.host = &host;
  if (harness.options.record_fd != STDOUT_FILENO)
    prctl(PR_SET_PDEATHSIG, SIGKILL); // a launch is for the command that asked; its reaper does the same more slowly
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--help") == 0)
      printf("%s\n%s\n", question.title, kHelp), fflush(stdout);
  if (harness.options.list)
    return Emit(pvt_record_list(&question), STDOUT_FILENO);
  benchmark::AddCustomContext("pvt_question", question.title);
  benchmark::AddCustomContext("pvt_version", PVT_VERSION);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return kUsage;
  if (!harness.options.calibrate.empty())
    status = Calibrate(&harness);
  else if (!harness.options.launch.empty())
    status = Launch(&harness);
  else
    status = RunAll(&harness);
  pvt_launch_free(harness.launch);
  pvt_question_done(&question);
  return status;
}
