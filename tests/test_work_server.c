/* test_work_server.c - the workload network from both its ends: its times, its rules, its errors. */
#include "work_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "workload.h"

static struct pvt_work_server *start_server(void) {
  struct pvt_work_server *server = NULL;

  cr_assert_eq(pvt_work_server_start(-1, &server), 0);
  return server;
}

static void client_init(struct pvt_work *work, uint16_t port, uint64_t service_ns) {
  struct pvt_work_spec spec = {.service_ns = service_ns, .port = port};

  cr_assert_eq(pvt_work_init(work, pvt_workload_find("network"), &spec), 0);
}

Test(work_server, does_not_queue_clients_behind_each_other, .timeout = 30) {
  struct pvt_work_server *server = start_server();
  struct pvt_work_request slow = {1, 3000000000u};
  struct pvt_work patient, quick;
  struct pollfd answered;

  client_init(&patient, pvt_work_server_port(server), 1);
  client_init(&quick, pvt_work_server_port(server), 1000000);
  cr_assert_eq(pvt_work_once(&patient), 0, "accepted and served once");
  cr_assert_eq(write(patient.fd, &slow, sizeof slow), (ssize_t)sizeof slow);
  for (int i = 0; i < 5; i++)
    cr_expect_eq(pvt_work_once(&quick), 0, "operation %d", i);
  answered = (struct pollfd){.fd = patient.fd, .events = POLLIN};
  cr_expect_eq(poll(&answered, 1, 0), 0, "the slow request is still being served");
  cr_expect_eq(poll(&answered, 1, 20000), 1, "and is answered in the end");
  cr_expect_eq(pvt_work_server_served(server), 7);
  pvt_work_done(&patient);
  pvt_work_done(&quick);
  pvt_work_server_stop(server);
}

Test(work_server, ends_a_client_that_breaks_its_rules, .timeout = 30) {
  static const struct pvt_work_request requests[2] = {{1, 3000000000u}, {2, 0}};
  static const struct pvt_work_request endless = {1, UINT64_MAX};
  static const struct {
    const void *bytes;
    size_t count;
    const char *why;
  } cases[] = {{requests, sizeof requests, "a second request before the answer"},
               {&endless, sizeof endless, "a service time without end"}};
  struct pvt_work_server *server = start_server();

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pvt_work work;
    char byte;

    client_init(&work, pvt_work_server_port(server), 1);
    cr_assert_eq(write(work.fd, cases[i].bytes, cases[i].count), (ssize_t)cases[i].count);
    cr_expect_leq(read(work.fd, &byte, 1), 0, "%s", cases[i].why);
    pvt_work_done(&work);
  }
  pvt_work_server_stop(server);
}

Test(work_server, leaves_no_server_behind, .timeout = 30) {
  for (int i = 0; i < 5; i++)
    pvt_work_server_stop(start_server());
  pvt_work_server_stop(NULL);
  cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
  cr_expect_eq(errno, ECHILD);
}

Test(work_server, ends_with_its_master, .timeout = 30) {
  struct pvt_work_server *server;
  uint64_t patience_ns = pvt_clock_ns() + 15000000000u;
  pid_t master, orphan = 0;
  int status;

  cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the orphan comes to us */
  master = fork();
  if (master == 0) {
    setpgid(0, 0);
    _exit(pvt_work_server_start(-1, &server) == 0 ? 0 : 1); /* without a word to the server */
  }
  cr_assert_eq(waitpid(master, &status, 0), master);
  cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  while ((orphan = waitpid(-1, &status, WNOHANG)) == 0 && pvt_clock_ns() < patience_ns)
    usleep(1000);
  kill(-master, SIGKILL); /* one that stays shall not outlive the test */
  cr_expect_gt(orphan, 0, "it has ended");
}

Test(network, waits_for_a_server_that_takes_its_time, .timeout = 30) {
  struct pvt_work_server *server = start_server();
  struct pvt_work work;
  uint64_t start_ns;

  client_init(&work, pvt_work_server_port(server), 5000000);
  start_ns = pvt_clock_ns();
  for (int i = 0; i < 4; i++)
    cr_expect_eq(pvt_work_once(&work), 0);
  cr_expect_geq(pvt_clock_ns() - start_ns, 4 * 5000000u);
  cr_expect_eq(pvt_work_server_served(server), 4);
  pvt_work_done(&work);
  pvt_work_server_stop(server);
}

Test(network, says_so_when_the_server_is_gone, .timeout = 30) {
  struct pvt_work_server *server = start_server();
  uint16_t port = pvt_work_server_port(server);
  struct pvt_work work, late;
  int status;

  client_init(&work, port, 1000);
  cr_expect_eq(pvt_work_once(&work), 0);
  pvt_work_server_stop(server);
  status = pvt_work_once(&work);
  cr_expect(status == -ECONNRESET || status == -EPIPE, "%d", status);
  cr_expect_lt(pvt_work_once(&work), 0);
  cr_expect_eq(work.done, 1);
  pvt_work_done(&work);
  status = pvt_work_init(&late, pvt_workload_find("network"), &(struct pvt_work_spec){.port = port});
  cr_expect_eq(status, -ECONNREFUSED, "%d", status);
  cr_expect_eq(pvt_work_init(&late, pvt_workload_find("network"), &(struct pvt_work_spec){0}), -EINVAL, "no port");
}

Test(network, takes_no_answer_but_its_own, .timeout = 30) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof address;
  static const struct {
    struct pvt_work_request answer;
    size_t count;
    int status;
    const char *why;
  } cases[] = {{{1, 5}, 16, 0, "its own"},
               {{2, 5}, 16, -EPROTO, "another's"},
               {{1, 5}, 15, -EPROTO, "cut short"},
               {{1, 5}, 0, -ECONNRESET, "none"}};
  int listener = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert_eq(bind(listener, (struct sockaddr *)&address, bytes), 0);
  cr_assert_eq(listen(listener, 1), 0);
  cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pvt_work work;
    int fd;

    client_init(&work, ntohs(address.sin_port), 5);
    fd = accept(listener, NULL, NULL);
    cr_assert_geq(fd, 0);
    /* Before it is asked for: the client neither knows nor minds. */
    cr_assert_eq(write(fd, &cases[i].answer, cases[i].count), (ssize_t)cases[i].count);
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    cr_expect_eq(pvt_work_once(&work), cases[i].status, "%s", cases[i].why);
    cr_expect_eq(work.done, cases[i].status == 0, "%s", cases[i].why);
    pvt_work_done(&work);
    close(fd);
  }
  close(listener);
}
