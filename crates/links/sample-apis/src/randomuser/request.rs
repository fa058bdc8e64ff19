//! The parameters of a request, read as the original reads them: what it cannot use it ignores.
//! `fault` and `latency` are ours, and there a mistake is an error.

use super::faults::{Faults, FaultsError};
use super::nationalities::{self, Nationality};
use super::password::PasswordRule;

/// People in one answer; asking for more gives one, as in the original.
const RESULTS_MAX: u32 = 5000;

/// The last page; asking for a later one gives the first, as in the original.
const PAGE_MAX: u32 = 10_000;

/// Fields of a person, in the order in which they are sent.
pub(super) const FIELDS: [&str; 12] = [
    "gender",
    "name",
    "location",
    "email",
    "login",
    "dob",
    "registered",
    "phone",
    "cell",
    "id",
    "picture",
    "nat",
];

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    /// The original has these two; we do not.
    #[error("format {0} is not served here: json, pretty or csv")]
    Format(String),
    #[error(transparent)]
    Faults(#[from] FaultsError),
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct PeopleRequest {
    pub(super) results: u32,
    /// From 1.
    pub(super) page: u32,
    /// `None`: a fresh one is to be drawn.
    pub(super) seed: Option<String>,
    pub(super) is_male: Option<bool>,
    /// One of these for each person; never empty.
    pub(super) nationalities: Vec<&'static Nationality>,
    pub(super) fields: Fields,
    pub(super) password: Option<PasswordRule>,
    pub(super) format: Format,
    pub(super) with_info: bool,
    /// `None`: those of the server.
    pub(super) faults: Option<Faults>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Pretty,
    Csv,
}

/// Which of [`FIELDS`] are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields([bool; FIELDS.len()]);

impl Fields {
    pub(super) fn contain(self, field: &str) -> bool {
        FIELDS.iter().zip(self.0).any(|(name, wanted)| *name == field && wanted)
    }

    /// All that `included` names (empty: all there are) and `excluded` does not.
    fn parse(included: &str, excluded: &str) -> Fields {
        let names = |list: &str, field: &str| {
            list.split(',').any(|name| name.trim().eq_ignore_ascii_case(field))
        };
        Fields(FIELDS.map(|field| {
            (included.is_empty() || names(included, field)) && !names(excluded, field)
        }))
    }
}

impl PeopleRequest {
    /// Reads decoded pairs of names and values.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<PeopleRequest, RequestError> {
        let query = Query(pairs);
        let seed = query.last("seed").filter(|seed| !seed.is_empty());
        Ok(PeopleRequest {
            results: query.results(),
            page: query.page(),
            // A seed decides the gender too: the same seed gives the same people.
            is_male: match (seed, query.last("gender")) {
                (None, Some("male")) => Some(true),
                (None, Some("female")) => Some(false),
                _ => None,
            },
            nationalities: query.nationalities(seed),
            seed: seed.map(str::to_owned),
            fields: Fields::parse(
                query.last("inc").unwrap_or_default(),
                query.last("exc").unwrap_or_default(),
            ),
            password: query.last("password").and_then(PasswordRule::parse),
            format: query.format()?,
            with_info: query.last("noinfo").is_none(),
            faults: query.faults()?,
        })
    }
}

/// Decoded pairs. The last of several with one name counts, except for `results`.
struct Query<'a>(&'a [(String, String)]);

impl<'a> Query<'a> {
    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |pair| pair.0 == name).map(|pair| pair.1.as_str())
    }

    fn last(&self, name: &'static str) -> Option<&'a str> {
        self.all(name).last()
    }

    fn results(&self) -> u32 {
        let mut values = self.all("results");
        match (values.next(), values.next()) {
            (Some(one), None) => whole(one, RESULTS_MAX).unwrap_or(1),
            _ => 1,
        }
    }

    fn page(&self) -> u32 {
        self.last("page").and_then(|page| whole(page, PAGE_MAX)).unwrap_or(1)
    }

    /// A list with one unknown code in it is ignored whole.
    fn nationalities(&self, seed: Option<&str>) -> Vec<&'static Nationality> {
        // 16 characters of seed and two hexadecimal digits that say which nationality.
        if let Some(suffix) = seed.filter(|seed| seed.len() == 18).and_then(|seed| seed.get(16..))
            && let Ok(index) = usize::from_str_radix(suffix, 16)
            && let Some(nationality) = nationalities::ALL.get(index)
        {
            return vec![nationality];
        }
        // `nat=` counts as not given, and `nationality` stands in.
        let list = self.last("nat").filter(|list| !list.is_empty());
        let list = list.or_else(|| self.last("nationality")).unwrap_or_default();
        let named: Option<Vec<_>> =
            list.split(',').filter(|code| !code.is_empty()).map(nationalities::named).collect();
        named.filter(|found| !found.is_empty()).unwrap_or_else(|| nationalities::ALL.to_vec())
    }

    fn format(&self) -> Result<Format, RequestError> {
        let format = self.last("format").filter(|format| !format.is_empty());
        let format = format.or_else(|| self.last("fmt")).unwrap_or_default().to_lowercase();
        match format.as_str() {
            "pretty" | "prettyjson" => Ok(Format::Pretty),
            "csv" => Ok(Format::Csv),
            "yaml" | "xml" => Err(RequestError::Format(format)),
            _ => Ok(Format::Json),
        }
    }

    fn faults(&self) -> Result<Option<Faults>, FaultsError> {
        let orders = self.0.iter().filter_map(|(name, value)| match name.as_str() {
            "fault" => Some(value.clone()),
            "latency" => Some(format!("latency={value}")),
            _ => None,
        });
        let orders: Vec<String> = orders.collect();
        if orders.is_empty() { Ok(None) } else { orders.join(",").parse().map(Some) }
    }
}

/// A whole number from 1 to a limit, in any notation of a number: `10`, `1e1`, `10.0`.
fn whole(text: &str, limit: u32) -> Option<u32> {
    let number = text.trim().parse::<f64>().ok()?;
    let fits = number.fract() == 0.0 && (1.0..=f64::from(limit)).contains(&number);
    fits.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<PeopleRequest, RequestError> {
        let pairs: Vec<(String, String)> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        PeopleRequest::parse(&pairs)
    }

    #[test]
    fn results_and_page_outside_their_range_are_1() {
        for (query, results, page) in [
            ("", 1, 1),
            ("results=5000&page=10000", 5000, 10_000),
            ("results=5001&page=10001", 1, 1),
            ("results=0&page=0", 1, 1),
            ("results=-3&page=-3", 1, 1),
            ("results=2.5&page=two", 1, 1),
            ("results=1e2&page= 7 ", 100, 7),
            ("results=3&results=4&page=3&page=4", 1, 4),
            ("results=NaN&page=inf", 1, 1),
        ] {
            let request = parse(query).unwrap();
            assert_eq!((request.results, request.page), (results, page), "{query}");
        }
    }

    #[test]
    fn one_unknown_nationality_makes_the_whole_list_random() {
        for (query, codes) in [
            ("nat=us", "US"),
            ("nat=US,,gb", "US GB"),
            ("nationality=fr", "FR"),
            ("seed=0123456789abcdef05&nat=us", "DK"),
            ("nat=us,zz", ""),
            ("nat=us, gb", ""),
            ("seed=0123456789abcdefzz", ""),
        ] {
            let request = parse(query).unwrap();
            let found: Vec<_> = request.nationalities.iter().map(|found| found.code).collect();
            match codes {
                "" => assert_eq!(found.len(), 21, "{query}"),
                codes => assert_eq!(found.join(" "), codes, "{query}"),
            }
        }
    }

    #[test]
    fn a_seed_leaves_no_choice_of_gender() {
        assert_eq!(parse("gender=male").unwrap().is_male, Some(true));
        assert_eq!(parse("gender=other").unwrap().is_male, None);
        assert_eq!(parse("gender=female&seed=a").unwrap().is_male, None);
        assert_eq!(parse("gender=female&seed=").unwrap().is_male, Some(false));
    }

    #[test]
    fn fields_are_those_included_less_those_excluded() {
        for (query, expected) in [
            ("inc=Name, NAT", "name nat"),
            ("inc=nat,name&exc=nat", "name"),
            ("inc=nothing", ""),
            ("exc=gender,name,location,email,login,dob,registered,phone,cell", "id picture nat"),
        ] {
            let fields = parse(query).unwrap().fields;
            let found: Vec<_> = FIELDS.into_iter().filter(|field| fields.contain(field)).collect();
            assert_eq!(found.join(" "), expected, "{query}");
        }
        assert!(FIELDS.iter().all(|field| parse("inc=").unwrap().fields.contain(field)));
    }

    #[test]
    fn formats_not_served_and_faults_misspelt_are_refused() {
        assert_eq!(parse("format=PrettyJSON").unwrap().format, Format::Pretty);
        assert_eq!(parse("fmt=csv").unwrap().format, Format::Csv);
        assert_eq!(parse("format=whatever").unwrap().format, Format::Json);
        assert_eq!(parse("format=YAML").unwrap_err(), RequestError::Format("yaml".to_owned()));
        assert!(matches!(parse("fault=boom@1"), Err(RequestError::Faults(_))));
        let faults = parse("fault=500@0.1&latency=20ms&fault=empty@0.2").unwrap().faults;
        assert_eq!(faults.unwrap().to_string(), "500@0.1,empty@0.2,latency=20ms");
        assert!(parse("seed=a").unwrap().faults.is_none());
    }
}
