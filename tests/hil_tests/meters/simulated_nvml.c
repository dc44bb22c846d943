/* The few functions of NVML that a meter calls, with the types and codes of its documentation: a device that uses 250 W.
 * Compiled by test_meters_instruments.py; NO_COUNTER makes it a device without an energy counter. */
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, GPU_IS_LOST = 15 };

static char device;
static int reads;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int nvmlInitWithFlags(unsigned int flags) { reads = 0; return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle)
{
    if (index > 0)
        return INVALID_ARGUMENT;
    *handle = &device;
    return SUCCESS;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned int length)
{
    strncpy(name, "Simulated", length);
    return handle == &device ? SUCCESS : INVALID_ARGUMENT;
}

int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *millijoules)
{
#ifdef NO_COUNTER
    return NOT_SUPPORTED;
#else
    *millijoules = (unsigned long long)(seconds() * 250e3);
    return handle == &device ? SUCCESS : INVALID_ARGUMENT;
#endif
}

int nvmlDeviceGetPowerUsage(void *handle, unsigned int *milliwatts)
{
    *milliwatts = 250000;
#ifdef LOST_AFTER
    if (reads++ >= LOST_AFTER)
        return GPU_IS_LOST;
#endif
    return handle == &device ? SUCCESS : INVALID_ARGUMENT;
}
