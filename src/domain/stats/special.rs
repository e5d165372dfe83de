//! The functions behind the formulas: log-gamma, binomial coefficients, incomplete beta, quantiles of t. Knows no samples.

use std::f64::consts::PI;

/// ln Γ(x) for x > 0: Stirling's series (Abramowitz and Stegun 6.1.41) after shifting x above 12, good to 14 digits.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift += x.ln();
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - shift
}

/// ln of the number of ways to take `k` of `n`, `k` ≤ `n`.
pub(super) fn ln_choose(n: u32, k: u32) -> f64 {
    let ln_factorial = |m: u32| ln_gamma(f64::from(m) + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The continued fraction of the incomplete beta (Abramowitz and Stegun 26.5.8) by Lentz's method as modified by
/// Thompson and Barnett 1986.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

/// The regularised incomplete beta I_x(a, b), for x in [0, 1] and positive a, b (Abramowitz and Stegun 26.5).
pub(super) fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on this side of the mean only; the symmetry covers the other.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

/// The quantile of Student's t with `df` > 0 degrees of freedom at `probability` in [0.5, 1), by bisection of
/// `P(T ≤ t) = 1 − ½·I_{df/(df+t²)}(df/2, ½)` (Abramowitz and Stegun 26.7.1).
#[must_use]
pub fn t_quantile(probability: f64, df: f64) -> f64 {
    let below = |t: f64| 1.0 - 0.5 * incomplete_beta(df / (df + t * t), df / 2.0, 0.5);
    let mut high = 1.0;
    while below(high) < probability && high < 1e12 {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found} is not {expected}");
    }

    #[test]
    fn log_gamma_knows_factorials_and_the_half() {
        near(ln_gamma(1.0), 0.0, 1e-13);
        near(ln_gamma(11.0), 3_628_800.0_f64.ln(), 1e-12);
        near(ln_gamma(0.5), PI.sqrt().ln(), 1e-13);
        near(ln_choose(52, 5), 2_598_960.0_f64.ln(), 1e-12);
    }

    #[test]
    fn incomplete_beta_is_a_binomial_tail() {
        // I_½(3, 6) = P(Bin(8, ½) ≥ 3) = 219/256.
        near(incomplete_beta(0.5, 3.0, 6.0), 219.0 / 256.0, 1e-13);
        near(incomplete_beta(0.3, 1.0, 1.0), 0.3, 1e-14);
    }

    #[test]
    fn t_quantiles_are_those_of_the_printed_tables() {
        for (df, t95, t975) in [
            (1.0, 6.314, 12.706),
            (2.0, 2.920, 4.303),
            (5.0, 2.015, 2.571),
            (10.0, 1.812, 2.228),
            (29.0, 1.699, 2.045),
            (120.0, 1.658, 1.980),
            (100_000.0, 1.645, 1.960),
        ] {
            near(t_quantile(0.95, df), t95, 5e-4);
            near(t_quantile(0.975, df), t975, 5e-4);
        }
    }
}
