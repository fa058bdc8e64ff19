//! Norway: postcodes are text of four digits: the first may be 0, which a number would lose.

use super::super::identity::birth_number;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const NO: Nationality = Nationality {
    code: "NO",
    country: "Norway",
    titles: Titles::ENGLISH,
    female: Words(
        "Aase|Anne|Berit|Birgit|Bjørg|Britt|Eline|Eva|Frida|Gro|Guro|Hedda|Hege|Henriette|\
         Ingeborg|Ingrid|Jorunn|Kari|Kjersti|Liv|Maren|Marit|Ragnhild|Randi|Sigrid|Silje|\
         Solveig|Synnøve|Tiril|Vilde",
    ),
    male: Words(
        "Arvid|Asbjørn|Atle|Bjørn|Dag|Egil|Einar|Eivind|Even|Fredrik|Geir|Halvor|Håkon|Jens|\
         Kåre|Kjell|Knut|Leif|Magnus|Morten|Odd|Oddvar|Øystein|Per|Sigurd|Stian|Terje|Tor|\
         Trygve|Vegard",
    ),
    last: Words(
        "Aasen|Amundsen|Berg|Bakke|Bråten|Dahle|Eide|Eikeland|Fjeld|Fossum|Gundersen|Hagen|\
         Haugen|Hovland|Hoel|Johansen|Kvamme|Lie|Lunde|Moen|Myhre|Nygård|Ødegård|Rønning|\
         Sandvik|Solberg|Strand|Sæther|Tveit|Vik",
    ),
    streets: Words(
        "Bjerkeveien|Elvegata|Fjellveien|Fjordgata|Granveien|Havnegata|Kirkeveien|Lyngveien|\
         Nedre gate|Parkveien|Skolegata|Solbakken|Storgata|Strandgata|Øvre vei",
    ),
    cities: Words(
        "Alta|Arendal|Bergen|Bodø|Drammen|Fredrikstad|Gjøvik|Halden|Hamar|Harstad|Kongsberg|\
         Kristiansand|Larvik|Lillehammer|Molde|Narvik|Oslo|Sandnes|Stavanger|Tromsø|\
         Trondheim|Ålesund",
    ),
    states: Words(
        "Akershus|Aust-Agder|Buskerud|Finnmark|Hedmark|Hordaland|Møre og Romsdal|Nordland|\
         Oppland|Oslo|Østfold|Rogaland|Sogn og Fjordane|Telemark|Troms|Trøndelag|Vest-Agder|\
         Vestfold",
    ),
    postcode: Postcode::Text(Pattern("####")),
    phone: Pattern("{235678}#######"),
    cell: Pattern("{49}#######"),
    id: Id::Computed("FN", birth_number),
};
