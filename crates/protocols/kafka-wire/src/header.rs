//! What stands in front of a message, and whole frames.
//!
//! Request header v1 ends with the client's name; v2, used by flexible versions, adds tagged
//! fields but keeps the old string. Response header v0 is the correlation id; v1 adds tagged
//! fields. ApiVersions answers with v0 always: the client does not know yet what it may read.

use bytes::{BufMut, Bytes, BytesMut};

use crate::decode::Reader;
use crate::encode::Writer;
use crate::{ApiKey, DecodeError, EncodeError, Message, Request};

/// Who asks for what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestHeader {
    /// Number of the API: it may be one this library does not know.
    pub api_key: i16,
    /// Version of the request and of its answer.
    pub api_version: i16,
    /// Repeated in the answer.
    pub correlation_id: i32,
    /// The client's name for itself.
    pub client_id: Option<String>,
}

impl RequestHeader {
    /// Reads key, version, correlation id and client name from the front of a frame; the rest is
    /// the body, for [`RequestHeader::body`].
    pub fn decode(frame: Bytes) -> Result<(RequestHeader, Bytes), DecodeError> {
        let mut input = Reader::new(frame, 1, false);
        let header = (|| {
            Ok(RequestHeader {
                api_key: input.i16()?,
                api_version: input.i16()?,
                correlation_id: input.i32()?,
                client_id: input.nullable_string()?,
            })
        })();
        match header {
            Ok(header) => Ok((header, input.rest())),
            Err(error) => Err(DecodeError::within(error, "RequestHeader")),
        }
    }

    /// Reads the request that follows the header. Bytes behind it are left alone, as Kafka does:
    /// librdkafka 2.16 asks for all topics with three bytes too many.
    pub fn body<R: Request>(&self, rest: Bytes) -> Result<R, DecodeError> {
        let rest = match R::is_flexible(self.api_version) {
            true => skip_tagged_fields(rest)?,
            false => rest,
        };
        R::decode_front(self.api_version, rest).map(|(request, _)| request)
    }

    /// Puts the header; `flexible` chooses v2.
    fn encode(&self, flexible: bool, out: &mut BytesMut) -> Result<(), EncodeError> {
        let mut writer = Writer::new(out, 1, false);
        writer.i16(self.api_key);
        writer.i16(self.api_version);
        writer.i32(self.correlation_id);
        writer.nullable_string(self.client_id.as_deref())?;
        if flexible {
            writer.unsigned_varint(0);
        }
        Ok(())
    }
}

fn skip_tagged_fields(bytes: Bytes) -> Result<Bytes, DecodeError> {
    let mut input = Reader::new(bytes, 0, true);
    input.tagged_fields(|_, _| Ok(false)).map_err(|error| error.within("RequestHeader"))?;
    Ok(input.rest())
}

/// Which request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHeader {
    /// As the request gave it.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// Reads the correlation id from the front of a frame; the rest is for
    /// [`ResponseHeader::body`].
    pub fn decode(frame: Bytes) -> Result<(ResponseHeader, Bytes), DecodeError> {
        let mut input = Reader::new(frame, 0, false);
        let correlation_id = input.i32().map_err(|error| error.within("ResponseHeader"))?;
        Ok((ResponseHeader { correlation_id }, input.rest()))
    }

    /// Reads the answer to an `R` of a version, which follows the header.
    pub fn body<R: Request>(version: i16, rest: Bytes) -> Result<R::Response, DecodeError> {
        let rest = match has_tagged_fields::<R>(version) {
            true => skip_tagged_fields(rest)?,
            false => rest,
        };
        R::Response::decode(version, rest)
    }
}

/// Whether the answer's header is v1.
fn has_tagged_fields<R: Request>(version: i16) -> bool {
    R::is_flexible(version) && R::KEY != ApiKey::ApiVersions
}

/// A whole frame: length, header, request. `client_id` is the client's name for itself.
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Result<Bytes, EncodeError> {
    let header = RequestHeader {
        api_key: R::KEY.key(),
        api_version: version,
        correlation_id,
        client_id: client_id.map(str::to_owned),
    };
    frame(|out| {
        header.encode(R::is_flexible(version), out)?;
        request.encode(version, out)
    })
}

/// A whole frame: length, header, answer to an `R`.
pub fn encode_response<R: Request>(
    response: &R::Response,
    version: i16,
    correlation_id: i32,
) -> Result<Bytes, EncodeError> {
    frame(|out| {
        out.put_i32(correlation_id);
        if has_tagged_fields::<R>(version) {
            out.put_u8(0);
        }
        response.encode(version, out)
    })
}

fn frame(
    content: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::with_capacity(256);
    out.put_i32(0);
    content(&mut out)?;
    let length = out.len() - 4;
    let prefix = i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
    out[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::MetadataRequest;

    /// What librdkafka 2.16 sends to list all topics: three bytes follow the message.
    #[test]
    fn bytes_behind_a_request_are_left_alone() {
        let frame = b"\0\x03\0\x0d\0\0\0\x03\0\x07rdkafka\0\0\0\0\0\x01\0\0";
        let (header, body) = RequestHeader::decode(Bytes::from_static(frame)).unwrap();
        let request: MetadataRequest = header.body(body).unwrap();
        assert_eq!(request.topics, None);
    }
}
