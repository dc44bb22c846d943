/* What a deployment needs of the recorder `linerwkv record`: lines in, commands, telemetry and packets out.
 * C99 and POSIX sockets, no library. Every function returns -1 where the system refuses, with errno.
 * docs/integration.md says how the pieces go together; docs/recorder.md is the recorder's own page. */
#ifndef LRWK_CLIENT_H
#define LRWK_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Lines: the recorder's [source] is kind = "tcp" and connects to this port of the loopback; 0: any free one.
 * Its [lines] are line_header = n_sync + 4, sync, counter_at = n_sync, counter_bytes = 4, dtype = "<u2". */
int lrwk_listen(uint16_t *port);
int lrwk_accept(int listener);
/* One frame: sync word, counter (big-endian), samples (little-endian), band after band. Waits while the recorder's
 * buffer is full. */
int lrwk_send_line(int fd, const uint8_t *sync, size_t n_sync, uint32_t counter, const uint16_t *samples, size_t n);

/* Commands: one JSON object to [commands] socket, its answer, without the end of the line. Returns its length. */
int lrwk_command(const char *socket_path, const char *command, char *answer, size_t size);

/* Telemetry: the next whole line of [telemetry] file, without its end; 0: none yet. Returns its length. */
int lrwk_telemetry(FILE *file, char *line, size_t size);

/* Packets: [downlink] port of the loopback; 0: any free one. One Space Packet a datagram (docs/formats/packets.md). */
typedef struct {
    uint16_t apid;  /* 11 bits */
    uint16_t count; /* 14 bits, goes on from packet to packet */
    size_t size;    /* bytes of the packet, its header included */
} lrwk_packet;
int lrwk_open_packets(uint16_t *port);
/* Waits for a packet, at most so many milliseconds. Returns 1; 0: none came, or what came is none. */
int lrwk_receive(int fd, uint8_t *data, size_t size, int wait_ms, lrwk_packet *packet);

#endif
