//! New Zealand: no identity number, as in the original.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const NZ: Nationality = Nationality {
    code: "NZ",
    country: "New Zealand",
    titles: Titles::ENGLISH,
    female: Words(
        "Anahera|Aroha|Brooke|Charlotte|Ella|Emily|Georgia|Gracie|Hana|Harper|Holly|Hunter|\
         Indie|Kaia|Lily|Maia|Millie|Molly|Ngaio|Nikau|Olivia|Paige|Pania|Phoebe|Rata|Rosa|\
         Sienna|Summer|Tui|Zara",
    ),
    male: Words(
        "Ari|Arlo|Ashton|Blair|Caleb|Cody|Corban|Felix|Fletcher|George|Hemi|Hoani|Hugo|\
         Jayden|Kahu|Lachie|Leon|Liam|Manaia|Mason|Mikaere|Nikora|Noah|Ollie|Rawiri|Reuben|\
         Seth|Tama|Theo|Wiremu",
    ),
    last: Words(
        "Anderson|Barrett|Brown|Carroll|Chen|Davis|Edwards|Fraser|Hohepa|Hughes|Jackson|\
         Kereama|King|Lee|Martin|McLean|Moore|Morgan|Ngata|Parata|Patel|Robertson|Rangi|\
         Scott|Stewart|Tamihere|Taylor|Walker|Wilson|Wright",
    ),
    streets: Words(
        "Cuba Street|Fern Lane|Gumtree Road|Harbour Terrace|Hillcrest Road|Kauri Street|\
         Kōwhai Avenue|Lambton Quay|Manuka Road|Marine Parade|Pohutukawa Drive|Queen Street|\
         Rata Street|Rimu Grove|Tui Street",
    ),
    cities: Words(
        "Ashburton|Auckland|Blenheim|Christchurch|Dunedin|Gisborne|Greymouth|Hamilton|\
         Hastings|Invercargill|Masterton|Napier|Nelson|New Plymouth|Palmerston North|\
         Queenstown|Rotorua|Taupō|Tauranga|Timaru|Wellington|Whangārei",
    ),
    states: Words(
        "Auckland|Bay of Plenty|Canterbury|Gisborne|Hawke's Bay|Manawatū-Whanganui|\
         Marlborough|Nelson|Northland|Otago|Southland|Taranaki|Tasman|Waikato|Wellington|\
         West Coast",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(###)-###-####"),
    cell: Pattern("(###)-###-####"),
    id: Id::Absent,
};
