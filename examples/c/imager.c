/* A deployment in small: an imager of 40 lines with one left out, two commands, packets counted until the recorder
 * ends. Prints its ports, then what it saw.
 *
 *     cc -std=c99 -D_POSIX_C_SOURCE=200809L -o imager imager.c lrwk_client.c
 *     imager COMMANDS TELEMETRY        # the paths of the recorder's configuration */
#include "lrwk_client.h"

#include <string.h>
#include <unistd.h>

enum { LINES = 40, BANDS = 3, COLUMNS = 5, LEFT_OUT = 7, LARGEST = 65536 };

static const uint8_t SYNC[] = {0x1a, 0xcf, 0xfc, 0x1d};

static int failed(const char *what) {
    perror(what);
    return 1;
}

int main(int n, char **words) {
    static uint8_t data[LARGEST];
    static char text[LARGEST];
    uint16_t samples[BANDS * COLUMNS], line_port = 0, packet_port = 0;
    int listener = lrwk_listen(&line_port), packets = lrwk_open_packets(&packet_port), lines, found, n_packets = 0;
    FILE *telemetry = NULL;
    lrwk_packet packet;
    unsigned y, i, apid = 0, n_segments = 0, is_ended = 0;
    if (n != 3 || listener < 0 || packets < 0)
        return failed("ports");
    printf("%u %u\n", line_port, packet_port);
    fflush(stdout);
    if ((lines = lrwk_accept(listener)) < 0)
        return failed("accept");
    for (y = 0; y < LINES; y++) {
        for (i = 0; i < BANDS * COLUMNS; i++)
            samples[i] = (uint16_t)((y * 31 + i * 17) % 4096);
        if (y != LEFT_OUT && lrwk_send_line(lines, SYNC, sizeof SYNC, y, samples, BANDS * COLUMNS))
            return failed("line");
    }
    for (i = 0; i < 2; i++) {
        const char *commands[] = {"{\"do\": \"max_error\", \"max_error\": 2}", "{\"do\": \"launch\"}"};
        if (lrwk_command(words[1], commands[i], text, sizeof text) < 0)
            return failed(words[1]);
        printf("%s\n", text);
    }
    close(lines);
    while (!is_ended) {
        if ((found = lrwk_receive(packets, data, sizeof data, 20, &packet)) < 0)
            return failed("packets");
        n_packets += found;
        apid = found ? packet.apid : apid;
        if (telemetry == NULL && (telemetry = fopen(words[2], "r")) == NULL)
            continue;
        while ((found = lrwk_telemetry(telemetry, text, sizeof text)) > 0) {
            n_segments += strstr(text, "\"segment\"") != NULL;
            is_ended |= strstr(text, "\"ended\"") != NULL;
        }
    }
    while (lrwk_receive(packets, data, sizeof data, 20, &packet) > 0)
        n_packets++;
    printf("%d packets of APID %u, %u segments\n", n_packets, apid, n_segments);
    return 0;
}
