-- count_sealed --
-- {table}, {column}, {row} and {owner} are of the table of sealed columns in sealed.py.
select split_part({column}, '.', 2) as kid, count(*) as rows from {table} group by 1

-- list_sealed --
-- Those that another key than the wished one sealed, from the one behind `after`.
select {row} as row, {owner} as owner, {column} as sealed from {table}
 where split_part({column}, '.', 2) <> %(kid)s and {row} > %(after)s
 order by 1 limit %(limit)s

-- swap_sealed --
-- Only over what was read, so that a change in between is not lost.
update {table} set {column} = %(fresh)s where {row} = %(row)s and {column} = %(old)s
returning 1 as swapped
