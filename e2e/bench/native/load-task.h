/* What the load generator is told to do, and what CPUs were busy with meanwhile. */
#pragma once
#include "clock.h"
#include "http2-exchange.h"
#include "requests.h"

#define MOST_CONNECTIONS 20000

enum mode { CLOSED, OPEN, CONNECTS, HOLD, MODES };
static const char *const mode_names[MODES] = { "closed", "open", "connects", "hold" };

struct task {
	enum mode mode;
	struct place place;
	int connections, rate, cpu;
	size_t size;
	int64_t warm, measure;
	/* File of the heads that are sent; "-": one for SIZE bytes, "http2": the same over HTTP/2. */
	char heads[256];
	int http2;
};

/* A line as http-load.c describes it. 0: it is none. */
static inline int parse_task(const char *line, struct task *task)
{
	char mode[16], address[108];
	unsigned short port;
	long warm_ms, measure_ms;

	memset(task, 0, sizeof(*task));
	if (sscanf(line, "%15s %107s %hu %d %zu %ld %ld %d %d %255s", mode, address, &port, &task->connections, &task->size,
		   &warm_ms, &measure_ms, &task->rate, &task->cpu, task->heads) != 10)
		return 0;
	task->http2 = strcmp(task->heads, "http2") == 0;
	while (task->mode < MODES && strcmp(mode, mode_names[task->mode]))
		task->mode++;
	task->warm = warm_ms * (SECOND / 1000);
	task->measure = measure_ms * (SECOND / 1000);
	return task->mode < MODES && parse_place(address, port, &task->place) && task->connections > 0 &&
	       task->connections <= MOST_CONNECTIONS && task->size <= LARGEST_BODY &&
	       (task->rate > 0 || task->mode != OPEN);
}

/*
 * For how long a CPU, or all (-1) together, were busy since boot, in nanoseconds, as /proc/stat says in its coarser ticks;
 * other guests' time is not ours.
 */
static inline long long busy_time(int cpu)
{
	long long user, nice, system, idle_time, iowait, irq, softirq, busy = -1;
	FILE *file = fopen("/proc/stat", "r");
	char line[512], name[16], wanted[16] = "cpu";

	if (!file)
		fail("/proc/stat");
	if (cpu >= 0)
		snprintf(wanted, sizeof(wanted), "cpu%d", cpu);
	while (busy < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %lld %lld %lld %lld %lld %lld %lld", name, &user, &nice, &system, &idle_time,
			   &iowait, &irq, &softirq) == 8 && strcmp(name, wanted) == 0)
			busy = user + nice + system + irq + softirq;
	if (fclose(file) || busy < 0)
		fail("/proc/stat");
	return busy * (SECOND / sysconf(_SC_CLK_TCK));
}
