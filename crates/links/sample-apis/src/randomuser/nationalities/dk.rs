//! Denmark: the identity number carries the date of birth.

use super::super::identity::civil_registration_number;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const DK: Nationality = Nationality {
    code: "DK",
    country: "Denmark",
    titles: Titles::ENGLISH,
    female: Words(
        "Agnes|Anne|Astrid|Birgitte|Bodil|Caroline|Dagmar|Ditte|Ellen|Emilie|Freja|Gry|\
         Gudrun|Helle|Ida|Inger|Johanne|Karen|Kirsten|Lærke|Maja|Merete|Mette|Nanna|Pernille|\
         Rikke|Signe|Sofie|Tove|Åse",
    ),
    male: Words(
        "Anders|Arne|Asger|Bent|Bjarne|Bo|Christian|Erik|Esben|Finn|Frederik|Gorm|Hans|\
         Henrik|Holger|Jeppe|Jesper|Jørgen|Kasper|Kjeld|Lars|Mads|Mikkel|Niels|Ole|Palle|\
         Rasmus|Søren|Torben|Åge",
    ),
    last: Words(
        "Andersen|Bach|Bang|Bruun|Christensen|Dahl|Eriksen|Frandsen|Friis|Gregersen|Hansen|\
         Holm|Iversen|Jensen|Jørgensen|Kjær|Kristensen|Laursen|Lund|Madsen|Møller|Nørgaard|\
         Olesen|Petersen|Rasmussen|Skov|Sørensen|Thomsen|Vestergård|Winther",
    ),
    streets: Words(
        "Bakkevej|Birkevej|Brogade|Engvej|Fjordvej|Havnegade|Kirkegade|Lærkevej|Møllevej|\
         Nørregade|Rosenvænget|Skolevej|Strandvejen|Søndergade|Østergade",
    ),
    cities: Words(
        "Aalborg|Aarhus|Ebeltoft|Esbjerg|Fredericia|Grenå|Helsingør|Herning|Hillerød|Horsens|\
         Kolding|København|Køge|Nykøbing|Næstved|Odense|Randers|Roskilde|Rønne|Silkeborg",
    ),
    states: Words("Hovedstaden|Midtjylland|Nordjylland|Sjælland|Syddanmark"),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("########"),
    cell: Pattern("########"),
    id: Id::Computed("CPR", civil_registration_number),
};
