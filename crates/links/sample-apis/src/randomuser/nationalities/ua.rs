//! Ukraine: Latin transcription and no identity number, as in the original.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const UA: Nationality = Nationality {
    code: "UA",
    country: "Ukraine",
    titles: Titles::ENGLISH,
    female: Words(
        "Alina|Anastasiya|Bohdana|Dariya|Halyna|Hanna|Iryna|Kateryna|Khrystyna|Larysa|Lesia|\
         Liliya|Lyubov|Lyudmyla|Mariya|Maryna|Myroslava|Nadiya|Nataliya|Oksana|Oleksandra|\
         Olena|Polina|Roksolana|Solomiya|Svitlana|Tetiana|Viktoriya|Yaryna|Zlata",
    ),
    male: Words(
        "Andriy|Anton|Artem|Bohdan|Borys|Danylo|Dmytro|Fedir|Hryhoriy|Ihor|Illya|Ivan|Kyrylo|\
         Levko|Maksym|Matviy|Mykhailo|Mykola|Nazar|Oleh|Oleksiy|Orest|Ostap|Pavlo|Petro|\
         Roman|Serhiy|Taras|Volodymyr|Yaroslav",
    ),
    last: Words(
        "Babenko|Bondarenko|Boyko|Chernenko|Danylenko|Didenko|Fedorenko|Havrylyuk|Honchar|\
         Hrytsenko|Ivashchenko|Klymenko|Kovalchuk|Kravets|Kucherenko|Lysenko|Marchenko|Mazur|\
         Melnyk|Moroz|Nechyporenko|Panchenko|Petrenko|Romanyuk|Savchenko|Shevchuk|Tkachenko|\
         Vasylenko|Yurchenko|Zinchenko",
    ),
    streets: Words(
        "Akademichna|Berehova|Chumatska|Dniprovska|Kalynova|Khreshchatyk|Kozatska|Lypova|\
         Naberezhna|Parkova|Poltavska|Pryvokzalna|Sadova|Shkilna|Sonyachna|Vyshneva|Zelena",
    ),
    cities: Words(
        "Bila Tserkva|Cherkasy|Chernihiv|Chernivtsi|Dnipro|Ivano-Frankivsk|\
         Kamianets-Podilskyi|Kharkiv|Kherson|Khmelnytskyi|Kropyvnytskyi|Kryvyi Rih|Kyiv|\
         Lutsk|Lviv|Mykolaiv|Odesa|Poltava|Rivne|Sumy|Ternopil|Uzhhorod|Vinnytsia|\
         Zaporizhzhia|Zhytomyr",
    ),
    states: Words(
        "Cherkaska|Chernihivska|Chernivetska|Dnipropetrovska|Donetska|Kharkivska|Khersonska|\
         Khmelnytska|Kyivska|Lvivska|Mykolaivska|Odeska|Poltavska|Rivnenska|Sumska|\
         Ternopilska|Vinnytska|Volynska|Zakarpatska|Zaporizka|Zhytomyrska",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(06{678}) @##-####|(09{6789}) @##-####"),
    cell: Pattern("(06{678}) @##-####|(09{6789}) @##-####"),
    id: Id::Absent,
};
