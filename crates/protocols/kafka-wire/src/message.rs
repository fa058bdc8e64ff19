//! From a table to types: what a message is, and the macros that read its table.

use bytes::{Bytes, BytesMut};

use crate::ApiKey;
use crate::decode::{DecodeError, DecodeReason, Reader};
use crate::encode::{EncodeError, Writer};
use crate::field::Field;

/// The start of the flexible versions of a message that has none.
pub(crate) const NEVER: i16 = i16::MAX;

/// A structure with versions: a request, a response, or what is kept in an internal topic.
#[expect(private_bounds, reason = "the codec of fields is no one else's business")]
pub trait Message: Field + Default {
    /// Its name in Kafka's documentation.
    const NAME: &'static str;
    /// The first version known here.
    const VERSION_MIN: i16;
    /// The last version known here.
    const VERSION_MAX: i16;
    /// From this version on lengths are compact and fields may be tagged (KIP-482).
    const FLEXIBLE_FROM: i16;

    /// Whether a version is flexible.
    fn is_flexible(version: i16) -> bool {
        version >= Self::FLEXIBLE_FROM
    }

    /// Whether a version is known here.
    fn is_known(version: i16) -> bool {
        (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version)
    }

    /// Appends the message, without header or frame. Fields the version does not have are left
    /// out, whatever they hold.
    fn encode(&self, version: i16, out: &mut BytesMut) -> Result<(), EncodeError> {
        if !Self::is_known(version) {
            return Err(EncodeError::Version { message: Self::NAME, version });
        }
        self.write(&mut Writer::new(out, version, Self::is_flexible(version)))
    }

    /// Reads a message that fills `bytes`. Fields the version does not have get their defaults;
    /// byte strings share the memory of `bytes`.
    fn decode(version: i16, bytes: Bytes) -> Result<Self, DecodeError> {
        let (message, rest) = Self::decode_front(version, bytes)?;
        match rest.len() {
            0 => Ok(message),
            left => Err(DecodeError::from(DecodeReason::Trailing(left)).within(Self::NAME)),
        }
    }

    /// Reads a message from the front of `bytes`, and gives what follows it.
    fn decode_front(version: i16, bytes: Bytes) -> Result<(Self, Bytes), DecodeError> {
        let front = || -> Result<(Self, Bytes), DecodeError> {
            if !Self::is_known(version) {
                return Err(DecodeReason::Version(version).into());
            }
            let mut input = Reader::new(bytes, version, Self::is_flexible(version));
            let message = Self::read(&mut input)?;
            Ok((message, input.rest()))
        };
        front().map_err(|error| error.within(Self::NAME))
    }
}

/// A message that asks, and the one that answers it. Both share their versions.
pub trait Request: Message {
    /// Its number.
    const KEY: ApiKey;
    /// The answer.
    type Response: Message;
}

/// An API: one line with its key, its request and response and their versions, then a table per
/// structure (see [`structs!`]).
macro_rules! api {
    (
        $key:ident ($request:ident => $response:ident),
        versions $min:literal..=$max:literal, flexible $flexible:tt $(..)?;
        $($tables:tt)*
    ) => {
        crate::message::structs! { $($tables)* }
        crate::message::message!($request, versions $min..=$max, flexible $flexible);
        crate::message::message!($response, versions $min..=$max, flexible $flexible);

        impl crate::Request for $request {
            const KEY: crate::ApiKey = crate::ApiKey::$key;
            type Response = $response;
        }
    };
}

/// Gives a structure its versions.
macro_rules! message {
    ($name:ident, versions $min:literal..=$max:literal, flexible $flexible:tt) => {
        impl crate::Message for $name {
            const NAME: &'static str = stringify!($name);
            const VERSION_MIN: i16 = $min;
            const VERSION_MAX: i16 = $max;
            const FLEXIBLE_FROM: i16 = $flexible;
        }
    };
}

/// Structures as tables. A row is a field in the order of the wire:
///
/// ```text
/// name: type   [versions, tag number, null versions]   = default,
/// ```
///
/// No brackets: the field is in all versions. `tag`: it is a tagged field of those versions.
/// `Option` may be null in all its versions, or only in those after `null`. No default: the type's
/// own, null for `Option`.
macro_rules! structs {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $type:ty
                    $([ $versions:expr $(, tag $tag:literal)? $(, null $nulls:expr)? ])?
                    $(= $default:expr)?
            ),* $(,)?
        }
    )*) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[doc = crate::message::row!($($versions $(, tag $tag)? $(, null $nulls)?)?)]
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $( $field: crate::message::default!($($default)?), )* }
            }
        }

        #[cfg(test)]
        impl crate::sample::Sample for $name {
            #[allow(unused_variables, unused_mut, reason = "a table may be empty")]
            fn sample(choices: &mut crate::sample::Choices) -> $name {
                let version = choices.version();
                let mut message = $name::default();
                $(
                    if crate::message::in_versions!(version $(, $versions)?) {
                        message.$field = crate::sample::Sample::sample(choices);
                        $($(
                            if message.$field.is_none() && !($nulls).contains(&version) {
                                message.$field = Some(Default::default());
                            }
                        )?)?
                    }
                )*
                message
            }
        }

        impl crate::field::Field for $name {
            #[allow(unused_variables, unused_mut, reason = "a table may be empty")]
            fn bytes_min(version: i16, flexible: bool) -> usize {
                let mut sum = usize::from(flexible);
                $(
                    crate::message::untagged!([$($($tag)?)?] {
                        if crate::message::in_versions!(version $(, $versions)?) {
                            sum += <$type as crate::field::Field>::bytes_min(version, flexible);
                        }
                    });
                )*
                sum
            }

            #[allow(unused_variables, unused_mut, reason = "a table may be empty")]
            fn read(
                input: &mut crate::decode::Reader,
            ) -> Result<$name, crate::decode::DecodeError> {
                let version = input.version();
                let mut message = $name::default();
                $(
                    crate::message::untagged!([$($($tag)?)?] {
                        if crate::message::in_versions!(version $(, $versions)?) {
                            message.$field = crate::field::Field::read(input)
                                .map_err(|error| error.within(stringify!($field)))?;
                            $($(
                                if message.$field.is_none() && !($nulls).contains(&version) {
                                    let null = crate::decode::DecodeReason::Null;
                                    let error = crate::decode::DecodeError::new(null);
                                    return Err(error.within(stringify!($field)));
                                }
                            )?)?
                        }
                    });
                )*
                if input.is_flexible() {
                    input.tagged_fields(|tag, value| {
                        match tag {
                            $($($( $tag if ($versions).contains(&version) => {
                                message.$field = crate::field::Field::read(value)
                                    .map_err(|error| error.within(stringify!($field)))?;
                                return Ok(true);
                            } )?)?)*
                            _ => Ok(false),
                        }
                    })?;
                }
                Ok(message)
            }

            #[allow(unused_variables, unused_mut, reason = "a table may be empty")]
            fn write(
                &self,
                out: &mut crate::encode::Writer<'_>,
            ) -> Result<(), crate::encode::EncodeError> {
                let version = out.version();
                $(
                    crate::message::untagged!([$($($tag)?)?] {
                        if crate::message::in_versions!(version $(, $versions)?) {
                            $($(
                                if self.$field.is_none() && !($nulls).contains(&version) {
                                    let field = stringify!($field);
                                    return Err(crate::encode::EncodeError::Null { field, version });
                                }
                            )?)?
                            crate::field::Field::write(&self.$field, out)?;
                        }
                    });
                )*
                if out.is_flexible() {
                    let mut tagged = crate::encode::TaggedFields::default();
                    let default = $name::default();
                    $($($(
                        // A tagged field that holds its default is not sent.
                        if ($versions).contains(&version) && self.$field != default.$field {
                            tagged.add($tag, version, |value| {
                                crate::field::Field::write(&self.$field, value)
                            })?;
                        }
                    )?)?)*
                    out.tagged_fields(&tagged);
                }
                Ok(())
            }
        }
    )* };
}

/// A structure of a table that may itself be null: one byte says whether it is there.
macro_rules! nullable {
    ($name:ident) => {
        impl crate::field::Nullable for $name {
            fn nullable_bytes_min(_version: i16, _flexible: bool) -> usize {
                1
            }

            fn read_nullable(
                input: &mut crate::decode::Reader,
            ) -> Result<Option<$name>, crate::decode::DecodeError> {
                if input.i8()? < 0 { Ok(None) } else { crate::field::Field::read(input).map(Some) }
            }

            fn write_nullable(
                value: Option<&$name>,
                out: &mut crate::encode::Writer<'_>,
            ) -> Result<(), crate::encode::EncodeError> {
                out.i8(if value.is_some() { 1 } else { -1 });
                value.map_or(Ok(()), |value| crate::field::Field::write(value, out))
            }
        }
    };
}

/// What a row says beside the type, as documentation.
macro_rules! row {
    () => {
        "In all versions."
    };
    ($versions:expr $(, tag $tag:literal)? $(, null $nulls:expr)?) => {
        concat!(
            "In versions `", stringify!($versions), "`",
            $(", tag ", stringify!($tag),)?
            $("; may be null in `", stringify!($nulls), "`",)?
            "."
        )
    };
}

macro_rules! default {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

macro_rules! in_versions {
    ($version:ident) => {
        true
    };
    ($version:ident, $versions:expr) => {
        ($versions).contains(&$version)
    };
}

/// The code, unless the field is a tagged one.
macro_rules! untagged {
    ([] $code:block) => {
        $code
    };
    ([$tag:literal] $code:block) => {};
}

pub(crate) use {api, default, in_versions, message, nullable, row, structs, untagged};
