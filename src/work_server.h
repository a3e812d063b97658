/*
 * work_server.h - the other end of the workload network: takes a request, waits as long as it says, and answers.
 *
 * One process with one loop; it serves many connections at once, each after its own time, so that its clients do not
 * queue behind each other. A process whatever carries the crew, so that both arms of a contrast meet the same server
 * and no worker inherits its descriptors.
 */
#ifndef PVT_WORK_SERVER_H
#define PVT_WORK_SERVER_H

#include <stdint.h>

/* The answer is the request, sent back service_ns after it came. At most PVT_WORK_SERVICE_MAX_NS; more, or a second
 * request before the answer, closes the connection. */
struct pvt_work_request {
  uint64_t id;
  uint64_t service_ns;
};
#define PVT_WORK_SERVICE_MAX_NS 60000000000u

struct pvt_work_server;

/* Starts it, on that CPU (-1: anywhere), on 127.0.0.1 and a port given by the kernel; it listens when this returns.
 * Start it before the crew whose workers connect (pvt_crew_start forgets what an earlier crew proved), stop it after.
 * Returns 0 or -errno. */
int pvt_work_server_start(int cpu, struct pvt_work_server **ret_server);
uint16_t pvt_work_server_port(const struct pvt_work_server *server);
/* Requests answered so far: the proof, from the other end, that the clients did their work. */
uint64_t pvt_work_server_served(const struct pvt_work_server *server);
/* Closes all connections; clients see -ECONNRESET or -EPIPE. NULL is fine. */
void pvt_work_server_stop(struct pvt_work_server *server);

#endif
