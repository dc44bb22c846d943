// Dense layers of arithmetic int8-v2 (docs/arithmetic.md, section 3.1): LANES multiply-accumulates a cycle.
//
// All weights lie in one memory, a word for an input of LANES outputs. A run computes n_blocks times LANES outputs of
// one vector: n_values cycles of products, one to end them, LANES cycles in which one rounder gives an output each.

module dense_array #(
    parameter LANES = 64,
    parameter WORD_BITS = 11,
    parameter VALUE_BITS = 9,
    parameter OUTPUT_BITS = 10
) (
    input wire clk,

    input wire weight_write,
    input wire [WORD_BITS-1:0] weight_address,
    input wire [8*LANES-1:0] weight_data,

    input wire layer_write,
    input wire [OUTPUT_BITS-1:0] layer_address,
    input wire signed [24:0] bias_data,
    input wire [4:0] shift_data,

    input wire value_write,
    input wire [VALUE_BITS-1:0] value_address,
    input wire signed [7:0] value_data,

    input wire start,
    input wire [WORD_BITS-1:0] first_word,
    input wire [OUTPUT_BITS-1:0] first_output,
    input wire [VALUE_BITS-1:0] n_values,
    input wire [OUTPUT_BITS-1:0] n_blocks,
    input wire is_positive,

    output reg busy,
    output reg result_valid,
    output reg signed [7:0] result
);
    localparam IDLE = 2'd0, MULTIPLY = 2'd1, LAST = 2'd2, ROUND = 2'd3;

    reg [8*LANES-1:0] weights [0:(1<<WORD_BITS)-1];
    reg signed [7:0] values [0:(1<<VALUE_BITS)-1];
    reg signed [24:0] biases [0:(1<<OUTPUT_BITS)-1];
    reg [4:0] shifts [0:(1<<OUTPUT_BITS)-1];

    reg [1:0] phase;
    reg [WORD_BITS-1:0] word;
    reg [VALUE_BITS-1:0] k;
    reg [OUTPUT_BITS-1:0] place, block;
    reg [$clog2(LANES)-1:0] lane;

    // Memories answer one cycle after their address.
    reg [8*LANES-1:0] weight;
    reg signed [7:0] value;
    reg signed [24:0] bias;
    reg [4:0] shift;
    always @(posedge clk) begin
        if (weight_write) weights[weight_address] <= weight_data;
        if (value_write) values[value_address] <= value_data;
        if (layer_write) begin
            biases[layer_address] <= bias_data;
            shifts[layer_address] <= shift_data;
        end
        weight <= weights[word];
        value <= values[k];
        bias <= biases[place];
        shift <= shifts[place];
    end

    // Sums stay below 2**24 in magnitude. They move down by a lane a cycle while they are rounded.
    reg has_product, is_first;
    reg signed [24:0] sums [0:LANES-1];
    integer i;
    always @(posedge clk) begin
        has_product <= phase == MULTIPLY;
        is_first <= k == 0;
        if (has_product)
            for (i = 0; i < LANES; i = i + 1)
                sums[i] <= (is_first ? 25'sd0 : sums[i]) + $signed(weight[8*i +: 8]) * value;
        else if (phase == ROUND)
            for (i = 0; i < LANES - 1; i = i + 1)
                sums[i] <= sums[i+1];
    end

    wire signed [25:0] biased = sums[0] + bias + (26'sd1 <<< (shift - 5'd1));
    wire signed [25:0] quotient = biased >>> shift;
    wire signed [25:0] low = is_positive ? 26'sd0 : -26'sd127;
    wire signed [25:0] clipped = quotient > 26'sd127 ? 26'sd127 : quotient < low ? low : quotient;

    initial begin
        phase = IDLE;
        busy = 0;
        result_valid = 0;
        has_product = 0;
    end

    always @(posedge clk) begin
        result_valid <= phase == ROUND;
        case (phase)
            IDLE: if (start) begin
                phase <= MULTIPLY;
                busy <= 1;
                word <= first_word;
                place <= first_output;
                k <= 0;
                block <= 0;
            end
            MULTIPLY: begin
                word <= word + 1;
                if (k == n_values - 1) begin
                    phase <= LAST;
                    k <= 0;
                end else
                    k <= k + 1;
            end
            LAST: begin
                phase <= ROUND;
                place <= place + 1;
                lane <= 0;
            end
            ROUND: begin
                result <= clipped[7:0];
                lane <= lane + 1;
                if (lane != LANES - 1)
                    place <= place + 1;
                else if (block == n_blocks - 1) begin
                    phase <= IDLE;
                    busy <= 0;
                end else begin
                    phase <= MULTIPLY;
                    block <= block + 1;
                end
            end
        endcase
    end
endmodule
