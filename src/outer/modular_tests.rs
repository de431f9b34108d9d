//! The integer bounds that the three equations of an identity rest on, for every identity and the worst elements, operands negative.

use super::*;

fn power(bits: u32) -> BigUint {
    BigUint::from(1u32) << bits
}

fn order() -> BigUint {
    BigUint::from_bytes_le(&(-Fr::ONE).to_bytes()) + 1u32
}

/// What N can be in size, when every element and operand is below `largest` in size and every limb below `limb`.
fn size(identity: &Identity, largest: &BigUint) -> BigUint {
    let linear = |linear: Linear| -> BigUint { linear.iter().map(|(factor, _)| largest * factor.unsigned_abs()).sum() };
    let products: BigUint = identity.products.iter().map(|(factor, l, r)| linear(l) * linear(r) * factor.unsigned_abs()).sum();
    products + linear(identity.linear) + identity.constant.unsigned_abs()
}

/// What `(N)_at` can be in size for limbs below 2^w: `at + 1` products of limbs for each product, a limb for each element.
fn coefficient_size(identity: &Identity, at: usize) -> BigUint {
    let limb = power(LIMB_BITS);
    let factors = |linear: Linear| -> u64 { linear.iter().map(|(factor, _)| factor.unsigned_abs()).sum() };
    let products: u64 = identity.products.iter().map(|(factor, l, r)| factors(l) * factors(r) * factor.unsigned_abs()).sum();
    let single = &limb * factors(identity.linear);
    &limb * &limb * products * (at + 1) + single + if at == 0 { identity.constant.unsigned_abs() } else { 0 }
}

/// `|(N - Q q)_at + B (N - Q q)_(at + 1)|`
fn pair_size(identity: &Identity, at: usize) -> BigUint {
    let of_quotient = |at: usize| power(2 * LIMB_BITS) * (at + 1);
    let coefficient = |at: usize| coefficient_size(identity, at) + of_quotient(at);
    coefficient(at) + (coefficient(at + 1) << LIMB_BITS)
}

/// The quotients that four limbs can hold: from `-2^offset` to below this.
fn largest_quotient() -> BigUint {
    power(LIMBS as u32 * LIMB_BITS) - power(QUOTIENT_OFFSET)
}

#[test]
fn three_equations_make_an_identity() {
    let (q, r) = (modulus(), order());
    assert!(q.bits() == 254 && r.bits() == 254 && q > r, "and an element holds every residue");
    for (kind, identity) in IDENTITIES.iter().enumerate() {
        let n = size(identity, &power(254));
        let quotient = largest_quotient().max(power(QUOTIENT_OFFSET));
        assert!(&n + quotient * &q < &r << (LIMBS as u32 * LIMB_BITS), "(1) and the limbs, {kind}");
        // c and c' are at least -2^offset and below 2^offset.
        let carry = power(CARRY_OFFSET);
        assert_eq!(CARRY_LANES as u32 * LANE_BITS, CARRY_OFFSET + 1);
        let carried = &carry << (2 * LIMB_BITS);
        for at in [0, 2] {
            assert!(pair_size(identity, at) + &carried + &carry < &r >> 1u32, "({}), {kind}", 2 + at / 2);
        }
    }
}

#[test]
fn every_honest_witness_fits() {
    let q = modulus();
    for (kind, identity) in IDENTITIES.iter().enumerate() {
        // Whatever representatives below 2^254 the elements have.
        let n = size(identity, &power(254));
        assert!(n < &q << QUOTIENT_OFFSET && &n / &q < largest_quotient(), "{kind}");
        let low = (pair_size(identity, 0) >> (2 * LIMB_BITS)) + 1u32;
        assert!(low < power(CARRY_OFFSET), "{kind}");
        let high = ((pair_size(identity, 2) + low) >> (2 * LIMB_BITS)) + 1u32;
        assert!(high < power(CARRY_OFFSET), "{kind}");
    }
}

/// The factors of the bounds above are those of the gates: N of a row is what the expressions make of its limbs.
#[test]
fn the_gates_compute_the_identities() {
    let limb = |seed: u64, i: u64| Fr::from(seed).pow_vartime([3 + i]);
    for identity in &IDENTITIES {
        let mut seen = Vec::new();
        let terms = identity.coefficients(&mut |place| {
            let seed = match place {
                E(by) => 100 + u64::from(by.unsigned_abs()),
                T(by) => 200 + u64::from(by.unsigned_abs()),
            };
            seen.push(place);
            std::array::from_fn(|i| Expression::Constant(limb(seed, i as u64)))
        });
        let [native, low, high] = terms.map(|term| constant(&term));
        // One product of limbs in the native field is the whole; the coefficients are its parts below B^4.
        let at = |place: Place| {
            let seed = match place {
                E(by) => 100 + u64::from(by.unsigned_abs()),
                T(by) => 200 + u64::from(by.unsigned_abs()),
            };
            let limbs: [Fr; LIMBS] = std::array::from_fn(|i| limb(seed, i as u64));
            limbs
        };
        let combined = |linear: Linear| -> [Fr; LIMBS] {
            std::array::from_fn(|i| linear.iter().map(|(factor, place)| super::small(*factor) * at(*place)[i]).sum())
        };
        let mut total = [Fr::ZERO; 2 * LIMBS - 1];
        for (factor, left, right) in identity.products {
            let (left, right) = (combined(left), combined(right));
            for (i, j) in (0..LIMBS).flat_map(|i| (0..LIMBS).map(move |j| (i, j))) {
                total[i + j] += super::small(*factor) * left[i] * right[j];
            }
        }
        total.iter_mut().zip(combined(identity.linear)).for_each(|(total, limb)| *total += limb);
        total[0] += super::small(identity.constant);
        let b = power_of_two(LIMB_BITS);
        assert_eq!(native, total.iter().rev().fold(Fr::ZERO, |sum, term| sum * b + term));
        assert_eq!([low, high], [total[0] + b * total[1], total[2] + b * total[3]]);
        assert!(!seen.is_empty());
    }
}

fn constant(expression: &Expression<Fr>) -> Fr {
    let none = |_: &str| -> Fr { panic!("nothing but constants") };
    expression.evaluate(
        &|value| value,
        &|_| none("selector"),
        &|_| none("fixed"),
        &|_| none("advice"),
        &|_| none("instance"),
        &|_| none("challenge"),
        &|a| -a,
        &|a, b| a + b,
        &|a, b| a * b,
        &|a, factor| a * factor,
    )
}
