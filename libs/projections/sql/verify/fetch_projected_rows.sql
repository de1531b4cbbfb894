-- The next of hold_projected_rows.
fetch 1000 from projected_rows
