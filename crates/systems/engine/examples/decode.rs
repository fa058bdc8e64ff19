//! Microseconds per row of the JSON decoder, over records as the users example has them:
//! `cargo run --release -p tidemill-engine --example decode-json`.

use std::io::Write as _;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use bytes::Bytes;
use tidemill_connectors::Record;
use tidemill_engine::formats::json::{JsonDecoder, bench};
use tidemill_runtime::{Clock as _, SystemClock};

const FIELDS: [&str; 12] = [
    "id",
    "first_name",
    "last_name",
    "gender",
    "address",
    "post_code",
    "email",
    "username",
    "dob",
    "registered_date",
    "phone",
    "picture",
];
const BATCH: usize = 8192;
const ROUNDS: usize = 40;

fn record(n: i64) -> Record {
    let value = format!(
        "{{\"id\": \"9b0f6c26-4a9d-4c3e-8a57-{n:012}\", \"first_name\": \"Anneliese\", \
         \"last_name\": \"Zimmermann\", \"gender\": \"female\", \"address\": \"4711 Hauptstra\u{df}e, \
         Frankfurt am Main, Hessen, Germany\", \"post_code\": {}, \"email\": \
         \"anneliese.zimmermann@example.com\", \"username\": \"heavyladybug{n}\", \"dob\": \
         \"1972-05-29T21:38:58.440Z\", \"registered_date\": \"2009-11-03T08:13:50.201Z\", \"phone\": \
         \"0421-8853011\", \"picture\": \"https://randomuser.me/api/portraits/med/women/42.jpg\"}}",
        10_000 + n % 80_000
    );
    Record {
        partition: 0,
        offset: n,
        timestamp_ms: 0,
        key: None,
        value: Some(Bytes::from(value)),
        headers: Vec::new(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records: Vec<Record> = (0..BATCH as i64).map(record).collect();
    let bytes: usize =
        records.iter().filter_map(|record| record.value.as_ref()).map(Bytes::len).sum();
    let clock = SystemClock::new();
    let mut out = std::io::stdout();
    for wanted in [12, 3, 1] {
        let fields: Vec<FieldRef> = FIELDS[..wanted]
            .iter()
            .map(|name| Arc::new(Field::new(*name, DataType::Utf8, true)))
            .collect();
        let mut decoder = JsonDecoder::new(&fields, Default::default())?;
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let began = clock.monotonic();
            let (rows, faults) = bench::decode(&mut decoder, &records);
            if (rows, faults) != (BATCH, 0) {
                return Err(format!("{rows} rows and {faults} faults").into());
            }
            best = best.min((clock.monotonic() - began).as_secs_f64());
        }
        writeln!(
            out,
            "{wanted:2} of 12 columns: {:.3} us/row, {:.2} M rows/s, {:.2} GB/s ({} bytes/row)",
            best * 1e6 / BATCH as f64,
            BATCH as f64 / best / 1e6,
            bytes as f64 / best / 1e9,
            bytes / BATCH
        )?;
    }
    Ok(())
}
