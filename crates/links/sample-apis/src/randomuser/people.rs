//! People from a seed: the n-th person of a page is the same whatever else is asked for.
//!
//! Differs from the original, on purpose: other people for the same seed (their lists and their
//! generator are not ours), and ages count up to the fixed moment that is also the original's
//! latest date, not up to today, so that an answer never changes.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use md5::Md5;
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::draw::Draw;
use super::identity::Subject;
use super::nationalities::{Id, Nationality, Postcode, Words};
use super::password::{PasswordRule, password};
use super::portraits::Portrait;
use super::request::PeopleRequest;
use super::transliterate::ascii;

/// 2022-05-23T22:16:29Z: nobody registers later, and ages are those of this moment.
const REFERENCE_MS: i64 = 1_653_344_189_000;

/// 1944-08-25: nobody is born earlier.
const BORN_FIRST_MS: i64 = -800_000_000_000;

/// 21 years of 365 days before the reference: nobody is born later.
const BORN_LAST_MS: i64 = REFERENCE_MS - 21 * 365 * 86_400_000;

/// 2002-09-21: nobody registers earlier.
const REGISTERED_FIRST_MS: i64 = 1_016_688_461_000;

const COLOURS_AND_MOODS: Words = Words(
    "amber|azure|brave|bright|bronze|calm|clever|coral|crimson|curious|eager|emerald|gentle|happy|\
     hungry|indigo|jolly|lazy|lucky|mellow|nimble|olive|orange|proud|purple|quiet|quick|ruby|\
     scarlet|shy|silent|silver|sleepy|sunny|swift|tiny|turquoise|violet|wild|witty",
);

const ANIMALS: Words = Words(
    "alpaca|badger|beaver|bison|bobcat|buffalo|camel|cheetah|crane|dolphin|eagle|falcon|ferret|\
     gazelle|gecko|giraffe|hamster|hedgehog|heron|ibex|jackal|kingfisher|koala|lemur|lynx|marmot|\
     meerkat|newt|ocelot|otter|owl|panda|pelican|puffin|raccoon|salmon|seal|sparrow|tapir|walrus",
);

/// Offset and description, separated by a space.
const TIMEZONES: Words = Words(
    "-12:00 International Date Line West|-11:00 Midway Island, Samoa|-10:00 Hawaii|-9:00 Alaska|\
     -8:00 Pacific Time (US & Canada)|-7:00 Mountain Time (US & Canada)|-6:00 Central America|\
     -5:00 Bogota, Lima, Quito|-4:00 Caracas, La Paz|-3:30 Newfoundland|-3:00 Buenos Aires|\
     -2:00 Mid-Atlantic|-1:00 Azores, Cape Verde|0:00 Dublin, Lisbon, London|\
     +1:00 Amsterdam, Berlin, Paris|+2:00 Athens, Cairo, Helsinki|+3:00 Baghdad, Kuwait, Riyadh|\
     +3:30 Tehran|+4:00 Abu Dhabi, Baku, Muscat|+4:30 Kabul|+5:00 Islamabad, Karachi, Tashkent|\
     +5:30 Chennai, Mumbai, New Delhi|+5:45 Kathmandu|+6:00 Almaty, Dhaka|\
     +7:00 Bangkok, Hanoi, Jakarta|+8:00 Beijing, Perth, Singapore|+9:00 Osaka, Seoul, Tokyo|\
     +9:30 Adelaide, Darwin|+10:00 Brisbane, Guam, Vladivostok|+11:00 Magadan, Solomon Islands|\
     +12:00 Auckland, Fiji, Wellington",
);

/// The people of one page, as JSON objects with only the fields asked for. `portraits` is the URL
/// under which pictures are served, without a slash at its end.
pub(super) fn page(request: &PeopleRequest, seed: &str, portraits: &str) -> Vec<Value> {
    // As in the original: page 2 of seed `a` is page 1 of seed `a2`.
    let key = match request.page {
        1 => seed.to_owned(),
        page => format!("{seed}{page}"),
    };
    let people = (0..u64::from(request.results)).map(|index| {
        let mut person = person(request, Draw::keyed(&key, index), portraits);
        person.retain(|field, _| request.fields.contain(field));
        Value::Object(person)
    });
    people.collect()
}

fn person(request: &PeopleRequest, mut draw: Draw, portraits: &str) -> Map<String, Value> {
    let draw = &mut draw;
    let chosen = draw.below(request.nationalities.len() as u64) as usize;
    let nationality = request.nationalities[chosen];
    let drawn_male = draw.below(2) == 0;
    let is_male = request.is_male.unwrap_or(drawn_male);
    let (first_names, title) = if is_male {
        (nationality.male, nationality.titles.male)
    } else {
        (nationality.female, nationality.titles.female.one(draw))
    };
    let (first, last) = (first_names.one(draw), nationality.last.one(draw));
    let location = location(nationality, draw);
    let login = login(request.password.as_ref(), draw);
    let born_ms = draw.range(BORN_FIRST_MS, BORN_LAST_MS);
    let registered_ms = draw.range(REGISTERED_FIRST_MS, REFERENCE_MS);
    let subject = Subject { is_male, last_name: last, born: civil(born_ms) };
    let fields = json!({
        "gender": if is_male { "male" } else { "female" },
        "name": { "title": title, "first": first, "last": last },
        "location": location,
        "email": format!("{}.{}@example.com", ascii(first), ascii(last)),
        "login": login,
        "dob": date(born_ms),
        "registered": date(registered_ms),
        "phone": nationality.phone.fill(draw),
        "cell": nationality.cell.fill(draw),
        "id": identity(nationality, draw, &subject),
        "picture": Portrait::of(is_male, draw).links(portraits),
        "nat": nationality.code,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn location(nationality: &Nationality, draw: &mut Draw) -> Value {
    let (offset, description) = TIMEZONES.one(draw).split_once(' ').unwrap_or_default();
    json!({
        "street": { "number": draw.range(1, 9999), "name": nationality.streets.one(draw) },
        "city": nationality.cities.one(draw),
        "state": nationality.states.one(draw),
        "country": nationality.country,
        "postcode": match nationality.postcode {
            Postcode::Number(low, high) => json!(draw.range(low, high)),
            Postcode::Text(pattern) => json!(pattern.fill(draw)),
        },
        "coordinates": { "latitude": degrees(90, draw), "longitude": degrees(180, draw) },
        "timezone": { "offset": offset, "description": description },
    })
}

/// Degrees up to a bound on both sides, as text with four decimals.
fn degrees(bound: i64, draw: &mut Draw) -> String {
    format!("{:.4}", draw.range(-bound * 10_000, bound * 10_000) as f64 / 10_000.0)
}

fn login(rule: Option<&PasswordRule>, draw: &mut Draw) -> Value {
    let (adjective, animal) = (COLOURS_AND_MOODS.one(draw), ANIMALS.one(draw));
    let username = format!("{adjective}{animal}{}", draw.range(100, 999));
    let password = password(rule, draw);
    let salt = draw.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890", 8);
    let salted = format!("{password}{salt}");
    json!({
        "uuid": uuid(draw),
        "username": username,
        "password": password,
        "salt": salt,
        "md5": hexadecimal(&Md5::digest(&salted)),
        "sha1": hexadecimal(&Sha1::digest(&salted)),
        "sha256": hexadecimal(&Sha256::digest(&salted)),
    })
}

/// A UUID of version 4 (RFC 9562).
fn uuid(draw: &mut Draw) -> String {
    let (high, low) = (draw.next(), draw.next());
    let (version, variant) = (0x4000 | (high & 0x0fff), 0x8000 | ((low >> 48) & 0x3fff));
    let (time_low, time_mid, node) = (high >> 32, (high >> 16) & 0xffff, low & 0xffff_ffff_ffff);
    format!("{time_low:08x}-{time_mid:04x}-{version:04x}-{variant:04x}-{node:012x}")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn identity(nationality: &Nationality, draw: &mut Draw, subject: &Subject<'_>) -> Value {
    match nationality.id {
        Id::Absent => json!({ "name": "", "value": null }),
        Id::Pattern(name, pattern) => json!({ "name": name, "value": pattern.fill(draw) }),
        Id::Computed(name, compute) => json!({ "name": name, "value": compute(draw, subject) }),
    }
}

/// A moment as ISO 8601 with milliseconds, and the full years from there to the reference.
fn date(ms: i64) -> Value {
    let (moment, reference) = (civil(ms), civil(REFERENCE_MS));
    let anniversary = |at: DateTime| (at.month(), at.day(), at.time());
    let not_yet = i16::from(anniversary(reference) < anniversary(moment));
    json!({
        "date": format!("{moment:.3}Z"),
        "age": reference.year() - moment.year() - not_yet,
    })
}

/// A moment in UTC; the constants above keep it within what can be written.
fn civil(ms: i64) -> DateTime {
    TimeZone::UTC.to_datetime(Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(query: &str) -> Vec<Value> {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        let pairs: Vec<_> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let request = PeopleRequest::parse(&pairs).unwrap();
        page(&request, &request.seed.clone().unwrap(), "http://127.0.0.1/api/portraits")
    }

    #[test]
    fn a_seed_and_a_page_give_the_same_people_whatever_else_is_asked() {
        let all = people("seed=demo&results=50");
        assert_eq!(all, people("seed=demo&results=50"));
        assert_eq!(all[..7], people("seed=demo&results=7"));
        assert_eq!(people("seed=demo&page=2"), people("seed=demo2"));
        assert_ne!(people("seed=demo&page=2"), people("seed=demo"));
        for (whole, part) in all.iter().zip(people("seed=demo&results=50&inc=email,nat")) {
            let part = part.as_object().unwrap();
            assert!(part.len() == 2 && part.iter().all(|(field, value)| whole[field] == *value));
        }
    }

    #[test]
    fn the_people_of_a_seed_never_change() {
        // Written down once: whoever changes this breaks the tests of those who rely on a seed.
        let person = &people("seed=demo&nat=de")[0];
        let seen = ["/name/first", "/name/last", "/email", "/login/uuid", "/dob/date"];
        let seen = seen.map(|path| person.pointer(path).and_then(Value::as_str).unwrap());
        let uuid = "1de9a9ba-95df-4245-81dc-53401f512d1a";
        let email = "ralf.moller@example.com";
        assert_eq!(seen, ["Ralf", "Möller", email, uuid, "1961-07-16T07:52:05.094Z"]);
    }

    #[test]
    fn digests_are_those_of_password_and_salt() {
        for person in people("seed=digests&results=20&inc=login") {
            let login = &person["login"];
            let text = |field: &str| login[field].as_str().unwrap();
            let salted = [text("password"), text("salt")].concat();
            assert_eq!(text("md5"), hexadecimal(&Md5::digest(&salted)));
            assert_eq!(text("sha1"), hexadecimal(&Sha1::digest(&salted)));
            assert_eq!(text("sha256"), hexadecimal(&Sha256::digest(&salted)));
            assert_eq!((text("salt").len(), &text("uuid")[14..15]), (8, "4"));
        }
        assert_eq!(hexadecimal(&Md5::digest("abc")), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn ages_are_full_years_at_the_reference() {
        for (ms, written, age) in [
            (REFERENCE_MS, "2022-05-23T22:16:29.000Z", 0),
            (BORN_FIRST_MS, "1944-08-25T17:46:40.000Z", 77),
            (BORN_LAST_MS, "2001-05-28T22:16:29.000Z", 20),
            (990_656_188_999, "2001-05-23T22:16:28.999Z", 21),
            (990_656_189_001, "2001-05-23T22:16:29.001Z", 20),
        ] {
            assert_eq!(date(ms), json!({ "date": written, "age": age }));
        }
    }
}
