"""The paper's network in float, for experiments on one machine: nothing imports it but by its arithmetic's name."""
