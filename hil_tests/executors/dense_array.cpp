// dense_array.v cycle by cycle in Verilator, asked over standard input: 32-bit little-endian numbers, then bytes.
//
//   0, n_words, n_outputs; words of LANES bytes; bias and shift of each output            nothing comes back
//   1, first_word, first_output, n_values, n_blocks, is_positive, n_vectors; the vectors  cycles (64 bits), the outputs

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vdense_array.h"
#include "verilated.h"

static const int LANES = 64;
static Vdense_array array_;
static uint64_t cycles = 0;

static void cycle() {
    array_.clk = 0;
    array_.eval();
    array_.clk = 1;
    array_.eval();
    ++cycles;
}

static bool read_all(void *place, size_t size) { return fread(place, 1, size, stdin) == size; }

template <typename T> static std::vector<T> numbers(size_t n) {
    std::vector<T> found(n);
    if (n && !read_all(found.data(), n * sizeof(T))) exit(2);
    return found;
}

static void load() {
    const std::vector<int32_t> size = numbers<int32_t>(2);
    array_.weight_write = 1;
    for (int32_t word = 0; word < size[0]; ++word) {
        const std::vector<uint32_t> data = numbers<uint32_t>(LANES / 4);
        array_.weight_address = word;
        for (int i = 0; i < LANES / 4; ++i) array_.weight_data[i] = data[i];
        cycle();
    }
    array_.weight_write = 0;
    array_.layer_write = 1;
    for (int32_t output = 0; output < size[1]; ++output) {
        const std::vector<int32_t> layer = numbers<int32_t>(2);
        array_.layer_address = output;
        array_.bias_data = layer[0] & 0x1ffffff;
        array_.shift_data = layer[1];
        cycle();
    }
    array_.layer_write = 0;
}

static void run() {
    const std::vector<int32_t> words = numbers<int32_t>(6);
    array_.first_word = words[0];
    array_.first_output = words[1];
    array_.n_values = words[2];
    array_.n_blocks = words[3];
    array_.is_positive = words[4];
    std::vector<uint8_t> found;
    const uint64_t before = cycles;
    for (int32_t vector = 0; vector < words[5]; ++vector) {
        const std::vector<uint8_t> values = numbers<uint8_t>(words[2]);
        array_.value_write = 1;
        for (int32_t k = 0; k < words[2]; ++k) {
            array_.value_address = k;
            array_.value_data = values[k];
            cycle();
        }
        array_.value_write = 0;
        array_.start = 1;
        cycle();
        array_.start = 0;
        do {
            cycle();
            if (array_.result_valid) found.push_back(array_.result);
        } while (array_.busy);
    }
    const uint64_t taken = cycles - before;
    fwrite(&taken, sizeof taken, 1, stdout);
    fwrite(found.data(), 1, found.size(), stdout);
    fflush(stdout);
}

int main() {
    int32_t command;
    while (read_all(&command, sizeof command)) command == 0 ? load() : run();
    return 0;
}
