/* test_work_server.c - the server of the workload network: its clients' times, its rules, its end. */
#include "work_server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared.h"
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
  struct pvt_work_spec spec = {0};
  struct pvt_work work;
  void *memory;
  uint16_t *port;
  pid_t pid;

  cr_assert_eq(pvt_shared_new(sizeof *port, &memory), 0);
  port = memory;
  pid = fork();
  if (pid == 0) {
    struct pvt_work_server *server;

    if (pvt_work_server_start(-1, &server) == 0)
      *port = pvt_work_server_port(server);
    _exit(0); /* without a word to the server */
  }
  cr_assert_eq(waitpid(pid, NULL, 0), pid);
  cr_assert_neq(*port, 0);
  spec.port = *port;
  while (pvt_work_init(&work, pvt_workload_find("network"), &spec) != -ECONNREFUSED) {
    pvt_work_done(&work);
    usleep(1000);
  }
  pvt_shared_free(memory, sizeof *port);
}
