//! What can be known by its shape: a closed list.

use std::fmt;

/// A kind of secret or personal data that is known by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// An e-mail address.
    Email,
    /// A telephone number: international, or national where its form or a word before it says so.
    Phone,
    /// The number of a payment card: issuer, length and Luhn's digit agree.
    Card,
    /// An international bank account number: country, length and remainder by 97 agree.
    Iban,
    /// A social security number of the United States.
    Ssn,
    /// An internet address, of version 4 or 6.
    Ip,
    /// User and password in a URL.
    Credentials,
    /// A JSON Web Token.
    Jwt,
    /// A private key in PEM.
    PrivateKey,
    /// A key of a known issuer.
    ApiKey,
    /// A value to which a name such as `password` or `api_key` is given.
    Secret,
}

/// A set of [`Shape`]s.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Shapes(u16);

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 11] = [
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Iban,
        Self::Ssn,
        Self::Ip,
        Self::Credentials,
        Self::Jwt,
        Self::PrivateKey,
        Self::ApiKey,
        Self::Secret,
    ];

    /// The name in configurations, logs and metrics.
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// What stands in its place when it is hidden.
    pub const fn mask(self) -> &'static str {
        self.facts().1
    }

    /// The shape of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    const fn facts(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Email => ("email", "[EMAIL]", 1),
            Self::Phone => ("phone", "[PHONE]", 1 << 1),
            Self::Card => ("card", "[CARD]", 1 << 2),
            Self::Iban => ("iban", "[IBAN]", 1 << 3),
            Self::Ssn => ("ssn", "[SSN]", 1 << 4),
            Self::Ip => ("ip", "[IP]", 1 << 5),
            Self::Credentials => ("credentials", "[CREDENTIALS]", 1 << 6),
            Self::Jwt => ("jwt", "[JWT]", 1 << 7),
            Self::PrivateKey => ("private-key", "[PRIVATE_KEY]", 1 << 8),
            Self::ApiKey => ("api-key", "[API_KEY]", 1 << 9),
            Self::Secret => ("secret", "[SECRET]", 1 << 10),
        }
    }
}

impl Shapes {
    /// What a person may want to keep to themselves.
    pub const PERSONAL: Self =
        Self::of(&[Shape::Email, Shape::Phone, Shape::Card, Shape::Iban, Shape::Ssn, Shape::Ip]);
    /// What opens a door.
    pub const SECRETS: Self = Self::of(&[
        Shape::Credentials,
        Shape::Jwt,
        Shape::PrivateKey,
        Shape::ApiKey,
        Shape::Secret,
    ]);
    /// All of them.
    pub const ALL: Self = Self(Self::PERSONAL.0 | Self::SECRETS.0);

    /// These shapes.
    pub const fn of(shapes: &[Shape]) -> Self {
        let (mut bits, mut rest) = (0, shapes);
        while let [first, others @ ..] = rest {
            bits |= first.facts().2;
            rest = others;
        }
        Self(bits)
    }

    /// Whether `shape` is one of them.
    pub const fn has(self, shape: Shape) -> bool {
        self.0 & shape.facts().2 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of either set.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Shape> {
        Shape::ALL.into_iter().filter(move |shape| self.has(*shape))
    }
}

impl FromIterator<Shape> for Shapes {
    fn from_iter<I: IntoIterator<Item = Shape>>(shapes: I) -> Self {
        shapes.into_iter().fold(Self::default(), |set, shape| set.and(Self::of(&[shape])))
    }
}

impl fmt::Debug for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_a_name_a_mask_and_a_place_in_the_set_of_its_own() {
        for shape in Shape::ALL {
            assert_eq!(Shape::named(shape.name()), Some(shape));
            let alone = Shapes::of(&[shape]);
            assert!(alone.iter().eq([shape]), "{alone:?}");
        }
        assert!(Shapes::ALL.iter().eq(Shape::ALL));
    }

    #[test]
    fn a_mask_is_its_name_in_brackets_and_capitals() {
        for shape in Shape::ALL {
            let name = shape.name().to_uppercase().replace('-', "_");
            assert_eq!(shape.mask(), format!("[{name}]"));
        }
    }
}
