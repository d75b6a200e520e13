//! Pairs of least total cost between two sets.

/// The assignment of `min(rows, columns)` pairs with the least total cost.
///
/// `cost[row][column]` must be finite; rows are of equal length. Gives for each row its column.
/// Shortest augmenting paths with potentials, cubic in the number of rows.
pub fn min_cost_assignment(cost: &[Vec<f64>]) -> Vec<Option<usize>> {
    let rows = cost.len();
    let columns = cost.first().map_or(0, Vec::len);
    if columns == 0 {
        return vec![None; rows];
    }
    if rows > columns {
        let transposed: Vec<Vec<f64>> = (0..columns)
            .map(|c| cost.iter().map(|row| row[c]).collect())
            .collect();
        let mut of_row = vec![None; rows];
        for (column, row) in min_cost_assignment(&transposed).into_iter().enumerate() {
            if let Some(row) = row {
                of_row[row] = Some(column);
            }
        }
        return of_row;
    }
    assign_wide(cost, columns)
}

/// The case of at least as many columns as rows. Index 0 of the work arrays is a dummy.
fn assign_wide(cost: &[Vec<f64>], columns: usize) -> Vec<Option<usize>> {
    let rows = cost.len();
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of_column = vec![0_usize; columns + 1];
    for row in 1..=rows {
        row_of_column[0] = row;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut previous = vec![0_usize; columns + 1];
        let mut is_used = vec![false; columns + 1];
        let mut column = 0;
        while row_of_column[column] != 0 {
            is_used[column] = true;
            let current = row_of_column[column];
            let mut step = f64::INFINITY;
            let mut next = 0;
            for other in 1..=columns {
                if is_used[other] {
                    continue;
                }
                let reduced =
                    cost[current - 1][other - 1] - row_potential[current] - column_potential[other];
                if reduced < least[other] {
                    least[other] = reduced;
                    previous[other] = column;
                }
                if least[other] < step {
                    step = least[other];
                    next = other;
                }
            }
            for other in 0..=columns {
                if is_used[other] {
                    row_potential[row_of_column[other]] += step;
                    column_potential[other] -= step;
                } else {
                    least[other] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            let before = previous[column];
            row_of_column[column] = row_of_column[before];
            column = before;
        }
    }
    let mut of_row = vec![None; rows];
    for (column, &row) in row_of_column.iter().enumerate().skip(1) {
        if row != 0 {
            of_row[row - 1] = Some(column - 1);
        }
    }
    of_row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn total(cost: &[Vec<f64>], of_row: &[Option<usize>]) -> f64 {
        of_row
            .iter()
            .enumerate()
            .filter_map(|(row, column)| column.map(|c| cost[row][c]))
            .sum()
    }

    fn least_by_trying(cost: &[Vec<f64>], row: usize, taken: &mut Vec<usize>, left: usize) -> f64 {
        if left == 0 {
            return 0.0;
        }
        if row == cost.len() {
            return f64::INFINITY;
        }
        let mut best = least_by_trying(cost, row + 1, taken, left);
        for column in 0..cost[row].len() {
            if !taken.contains(&column) {
                taken.push(column);
                let rest = least_by_trying(cost, row + 1, taken, left - 1);
                best = best.min(cost[row][column] + rest);
                taken.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_total_is_the_least_of_all_assignments(
            rows in 0_usize..5, columns in 0_usize..5,
            values in prop::collection::vec(0_u8..20, 25),
        ) {
            let cost: Vec<Vec<f64>> = (0..rows)
                .map(|r| (0..columns).map(|c| f64::from(values[5 * r + c])).collect())
                .collect();
            let of_row = min_cost_assignment(&cost);
            let pairs = rows.min(columns);
            prop_assert_eq!(of_row.iter().flatten().count(), pairs);
            let mut distinct: Vec<_> = of_row.iter().flatten().collect();
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), pairs);
            prop_assert_eq!(total(&cost, &of_row), least_by_trying(&cost, 0, &mut vec![], pairs));
        }
    }
}
