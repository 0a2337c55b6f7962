package config

import "slices"

// share divides a total by weight, so that the parts are whole and sum to it
// exactly: what rounding down leaves goes to the largest remainders, the
// earlier of two equal ones first.
func share(total int, weights []int) []int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	parts := make([]int, len(weights))
	if sum == 0 {
		return parts
	}
	left := total
	order := make([]int, len(weights))
	for i, w := range weights {
		parts[i] = total * w / sum
		left -= parts[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return total*weights[b]%sum - total*weights[a]%sum
	})
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}

// equal are n equal weights.
func equal(n int) []int { return slices.Repeat([]int{1}, n) }
