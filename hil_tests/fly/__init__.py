"""A whole flight of the recorder, here or on a board: started, watched, drawn. It flies fault_programs/flight."""
