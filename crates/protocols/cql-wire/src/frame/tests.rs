use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::Version;

fn envelope(version: Version, stream: i16, body: Vec<u8>) -> Envelope {
    Envelope {
        version,
        is_response: false,
        flags: Flags::default(),
        stream,
        opcode: Opcode::Query,
        body: Bytes::from(body),
    }
}

/// Decodes what `bytes` carry when they come in pieces of `step` bytes.
fn decode_in_steps(decoder: &mut FrameDecoder, bytes: &[u8], step: usize) -> Vec<Envelope> {
    let (mut input, mut found) = (BytesMut::new(), Vec::new());
    for piece in bytes.chunks(step) {
        input.extend_from_slice(piece);
        while let Some(envelope) = decoder.decode(&mut input).unwrap() {
            found.push(envelope);
        }
    }
    assert!(input.is_empty());
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_one_side_writes_the_other_reads(
        bodies in prop::collection::vec(
            (any::<i16>(), prop::collection::vec(any::<u8>(), 0..3000), 0..200_usize), 1..8),
        step in 1..5000_usize,
        version in prop::sample::select(vec![Version::V3, Version::V4, Version::V5]),
        compression in prop::sample::select(
            vec![None, Some(Compression::Lz4), Some(Compression::Snappy)]),
        in_segments: bool,
    ) {
        let in_segments = in_segments && version == Version::V5
            && compression != Some(Compression::Snappy);
        let (mut encoder, mut decoder) = (FrameEncoder::new(), FrameDecoder::for_requests(1 << 24));
        encoder.set_compression(compression);
        decoder.set_compression(compression);
        if in_segments {
            encoder.start_segments();
            decoder.start_segments();
        }
        let mut out = BytesMut::new();
        // Repeated bodies grow beyond one segment.
        let sent: Vec<_> = bodies.into_iter()
            .map(|(stream, body, times)| envelope(version, stream, body.repeat(times)))
            .collect();
        for (index, envelope) in sent.iter().enumerate() {
            encoder.push(envelope, &mut out);
            if index % 3 == 2 {
                encoder.flush(&mut out);
            }
        }
        encoder.flush(&mut out);
        prop_assert_eq!(decode_in_steps(&mut decoder, &out, step), sent);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        in_segments: bool,
    ) {
        let mut decoder = FrameDecoder::for_requests(1 << 16);
        decoder.set_compression(Some(Compression::Lz4));
        if in_segments {
            decoder.start_segments();
        }
        let mut input = BytesMut::from(&bytes[..]);
        loop {
            match decoder.decode(&mut input) {
                Ok(None) => break,
                Err(error) if error.is_fatal() => break,
                _ => {}
            }
        }
    }

    #[test]
    fn a_flipped_bit_in_a_segment_is_noticed(at in 0..120_usize, bit in 0..8_u8) {
        let mut encoder = FrameEncoder::new();
        encoder.start_segments();
        let mut out = BytesMut::new();
        encoder.push(&envelope(Version::V5, 1, vec![7; 101]), &mut out);
        encoder.flush(&mut out);
        prop_assert_eq!(out.len(), 120);
        out[at] ^= 1 << bit;
        let mut decoder = FrameDecoder::for_requests(1 << 16);
        decoder.start_segments();
        prop_assert!(matches!(decoder.decode(&mut out), Err(FrameError::Segment(_)) | Ok(None)));
    }
}

/// Drivers start at versions of other products and step down on exactly this text.
#[test]
fn unknown_versions_are_refused_in_cassandras_words() {
    for version in [66, 65, 6, 2, 1] {
        let mut input = BytesMut::from(&[version, 0, 0, 7, 5, 0, 0, 0, 0][..]);
        let error = FrameDecoder::for_requests(100).decode(&mut input).unwrap_err();
        assert_eq!(error, FrameError::UnsupportedVersion { version, stream: 7 });
        assert!(error.is_fatal());
        assert_eq!(
            error.to_string(),
            format!(
                "Invalid or unsupported protocol version ({version}); \
                 supported versions are (3/v3, 4/v4, 5/v5)"
            )
        );
    }
}

#[test]
fn a_frame_above_the_limit_is_skipped_and_the_next_one_read() {
    let (mut encoder, mut out) = (FrameEncoder::new(), BytesMut::new());
    encoder.push(&envelope(Version::V4, 1, vec![0; 5000]), &mut out);
    encoder.push(&envelope(Version::V4, 2, vec![1; 10]), &mut out);
    let mut decoder = FrameDecoder::for_requests(1000);
    let (mut input, mut errors, mut found) = (BytesMut::new(), Vec::new(), Vec::new());
    for piece in out.chunks(64) {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(envelope)) => found.push(envelope.stream),
                Ok(None) => break,
                Err(error) => errors.push(error),
            }
        }
        assert!(input.len() < 1000, "a refused body is not kept");
    }
    let expected = FrameError::TooLarge { stream: 1, length: 5000, bytes_max: 1000 };
    assert_eq!(errors, [expected]);
    assert_eq!(found, [2]);
}

#[test]
fn a_compressed_body_that_claims_too_much_is_refused() {
    let mut decoder = FrameDecoder::for_requests(1000);
    decoder.set_compression(Some(Compression::Lz4));
    let mut input = BytesMut::from(&[4, 1, 0, 3, 7, 0, 0, 0, 8][..]);
    input.put_u32(u32::MAX);
    input.put_u32(0);
    assert_eq!(decoder.decode(&mut input), Err(FrameError::Compression { stream: 3 }));
}

#[test]
fn a_response_sent_to_a_server_is_refused_by_direction() {
    let mut input = BytesMut::from(&[0x84, 0, 0, 3, 2, 0, 0, 0, 0][..]);
    let error = FrameDecoder::for_requests(100).decode(&mut input).unwrap_err();
    assert!(matches!(error, FrameError::Direction { stream: 3, .. }), "{error}");
    assert!(input.is_empty());
}
