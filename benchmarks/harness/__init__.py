"""What every benchmark needs: the machine, the record of a result, the reference loop."""
