/* test_shared.c - memory that a child sees alike, and sleeping on a word of it. */
#include "shared.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { SECONDS = 20 };

static void *shared_new(size_t bytes) {
  void *memory = NULL;

  cr_assert_eq(pvt_shared_new(bytes, &memory), 0);
  return memory;
}

Test(shared, is_zeroed_and_page_aligned, .timeout = SECONDS) {
  static const size_t sizes[] = {1, 63, 4096, 4097, 1 << 20};

  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    unsigned char *memory = shared_new(sizes[i]), all = 0;

    cr_expect_eq((uintptr_t)memory % 4096, 0, "%zu bytes", sizes[i]);
    for (size_t j = 0; j < sizes[i]; j++)
      all |= memory[j];
    cr_expect_eq(all, 0, "%zu bytes", sizes[i]);
    pvt_shared_free(memory, sizes[i]);
  }
  pvt_shared_free(NULL, 4096);
}

Test(shared, refuses_what_cannot_be_and_leaves_the_output_alone, .timeout = SECONDS) {
  char here;
  void *memory = &here;

  cr_expect_eq(pvt_shared_new(0, &memory), -EINVAL);
  cr_expect_eq(pvt_shared_new(SIZE_MAX / 2, &memory), -ENOMEM);
  cr_expect_eq(memory, &here);
}

Test(shared, shows_the_parent_what_a_child_wrote, .timeout = SECONDS) {
  _Atomic uint32_t *word = shared_new(sizeof *word);
  pid_t pid = fork();

  if (pid == 0) {
    atomic_store(word, 42);
    _exit(0);
  }
  cr_assert_gt(pid, 0);
  cr_assert_eq(waitpid(pid, NULL, 0), pid);
  cr_expect_eq(atomic_load(word), 42);
}

Test(shared, does_not_sleep_when_the_word_has_changed, .timeout = SECONDS) {
  _Atomic uint32_t *word = shared_new(sizeof *word);

  atomic_store(word, 7);
  cr_expect_eq(pvt_shared_wait(word, 6, PVT_FOREVER_NS), 0);
}

Test(shared, says_when_time_is_up_and_not_before, .timeout = SECONDS) {
  _Atomic uint32_t *word = shared_new(sizeof *word);
  uint64_t from_ns = pvt_clock_ns();

  cr_expect_eq(pvt_shared_wait(word, 0, 3000000), -ETIMEDOUT);
  cr_expect_geq(pvt_clock_ns() - from_ns, 3000000);
  cr_expect_eq(pvt_shared_wait(word, 0, 0), -ETIMEDOUT);
}

Test(shared, wakes_a_sleeper_in_another_process, .timeout = SECONDS) {
  _Atomic uint32_t *words = shared_new(2 * sizeof *words);
  pid_t pid = fork();

  if (pid == 0) {
    while (atomic_load(&words[0]) == 0)
      pvt_shared_wait(&words[0], 0, PVT_FOREVER_NS);
    atomic_store(&words[1], 1);
    _exit(0);
  }
  cr_assert_gt(pid, 0);
  usleep(20000);
  cr_expect_eq(atomic_load(&words[1]), 0);
  atomic_store(&words[0], 1);
  pvt_shared_wake(&words[0], 1);
  cr_assert_eq(waitpid(pid, NULL, 0), pid);
  cr_expect_eq(atomic_load(&words[1]), 1);
}
