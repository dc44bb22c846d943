#include "lrwk_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int closed(int fd) {
    int found = errno;
    close(fd);
    errno = found;
    return -1;
}

/* A socket at a port of the loopback; the port that it has. */
static int bound(int kind, uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, kind, 0);
    if (fd < 0)
        return -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, size) || getsockname(fd, (struct sockaddr *)&address, &size))
        return closed(fd);
    *port = ntohs(address.sin_port);
    return fd;
}

static int send_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

int lrwk_listen(uint16_t *port) {
    int fd = bound(SOCK_STREAM, port);
    if (fd >= 0 && listen(fd, 1))
        return closed(fd);
    return fd;
}

int lrwk_accept(int listener) {
    return accept(listener, NULL, NULL);
}

int lrwk_send_line(int fd, const uint8_t *sync, size_t n_sync, uint32_t counter, const uint16_t *samples, size_t n) {
    size_t size = n_sync + 4 + 2 * n, i;
    uint8_t *frame = malloc(size), *at = frame;
    int found;
    if (frame == NULL)
        return -1;
    memcpy(at, sync, n_sync);
    at += n_sync;
    for (i = 0; i < 4; i++)
        *at++ = (uint8_t)(counter >> (24 - 8 * i));
    for (i = 0; i < n; i++) {
        *at++ = (uint8_t)samples[i];
        *at++ = (uint8_t)(samples[i] >> 8);
    }
    found = send_all(fd, frame, size);
    free(frame);
    return found;
}

int lrwk_command(const char *socket_path, const char *command, char *answer, size_t size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = 0;
    int fd;
    if (strlen(socket_path) >= sizeof address.sun_path || size == 0) {
        errno = EINVAL;
        return -1;
    }
    strcpy(address.sun_path, socket_path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) ||
        send_all(fd, (const uint8_t *)command, strlen(command)) || send_all(fd, (const uint8_t *)"\n", 1))
        return closed(fd);
    while (length + 1 < size) {
        ssize_t got = recv(fd, answer + length, 1, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return closed(fd);
        if (got == 0 || answer[length] == '\n')
            break;
        length++;
    }
    answer[length] = '\0';
    close(fd);
    return (int)length;
}

int lrwk_telemetry(FILE *file, char *line, size_t size) {
    long at = ftell(file);
    size_t length;
    if (at < 0)
        return -1;
    clearerr(file); /* more may have come since its end was seen */
    if (fgets(line, (int)size, file) == NULL)
        return 0;
    length = strlen(line);
    if (length == 0 || line[length - 1] != '\n') /* the recorder is still writing it */
        return fseek(file, at, SEEK_SET) ? -1 : 0;
    line[length - 1] = '\0';
    return (int)length - 1;
}

int lrwk_open_packets(uint16_t *port) {
    int fd = bound(SOCK_DGRAM, port), bytes = 1 << 22;
    if (fd >= 0) /* packets of a segment come at once; what the system grants is enough or not */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return fd;
}

int lrwk_receive(int fd, uint8_t *data, size_t size, int wait_ms, lrwk_packet *packet) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    ssize_t got;
    int found = poll(&waiting, 1, wait_ms);
    if (found <= 0)
        return found < 0 && errno != EINTR ? -1 : 0;
    got = recv(fd, data, size, MSG_TRUNC);
    if (got < 0)
        return -1;
    /* 133.0-B-2, 4.1.3: version 0, type 0, APID; flags, count; length less 1 of what follows the six bytes */
    if (got < 7 || (size_t)got > size || (data[0] & 0xf0) != 0 || ((size_t)data[4] << 8 | data[5]) + 7 != (size_t)got)
        return 0;
    packet->apid = (uint16_t)((data[0] & 0x07) << 8 | data[1]);
    packet->count = (uint16_t)((data[2] & 0x3f) << 8 | data[3]);
    packet->size = (size_t)got;
    return 1;
}
