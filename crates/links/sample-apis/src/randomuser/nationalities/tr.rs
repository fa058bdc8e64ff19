//! Turkey: dotted and dotless i, which lower-casing gets wrong so easily.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const TR: Nationality = Nationality {
    code: "TR",
    country: "Turkey",
    titles: Titles::ENGLISH,
    female: Words(
        "Asuman|Ayşe|Bahar|Belgin|Burcu|Canan|Cansu|Çiçek|Defne|Dilek|Ebru|Ece|Elif|Esra|\
         Fatma|Feride|Gizem|Gülsüm|Hatice|Ilgın|Işıl|İpek|Melike|Nazlı|Özge|Pınar|Seda|Şule|\
         Tuğba|Zeynep",
    ),
    male: Words(
        "Ahmet|Ali|Barış|Berk|Burak|Can|Cem|Çağatay|Doğan|Emre|Erdem|Fatih|Furkan|Gökhan|\
         Güven|Hakan|Halil|Ilgaz|İbrahim|İlker|Kaan|Kerem|Mehmet|Murat|Oğuz|Onur|Ömer|Serkan|\
         Tolga|Ümit",
    ),
    last: Words(
        "Acar|Aksoy|Akın|Altıntaş|Arslan|Aydoğan|Bayraktar|Bozkurt|Çakır|Çelik|Demirci|Doğan|\
         Erdoğdu|Güneş|Gündüz|Işık|Karaca|Kaya|Kılıç|Koçak|Öztürk|Özdemir|Polat|Sarı|Şahin|\
         Taşkın|Tekin|Türkmen|Yıldırım|Yılmaz",
    ),
    streets: Words(
        "Atatürk Bulvarı|Bağdat Caddesi|Çamlık Sokak|Çınar Caddesi|Cumhuriyet Caddesi|\
         Dere Sokak|Fevzi Paşa Caddesi|Gül Sokak|İnönü Caddesi|İstiklal Caddesi|Kule Sokak|\
         Lale Sokak|Liman Caddesi|Okul Sokak|Yeşil Sokak",
    ),
    cities: Words(
        "Adana|Afyonkarahisar|Ankara|Antalya|Aydın|Balıkesir|Bursa|Çanakkale|Denizli|\
         Diyarbakır|Edirne|Elazığ|Erzurum|Eskişehir|Gaziantep|Isparta|İstanbul|İzmir|Kayseri|\
         Konya|Mersin|Muğla|Samsun|Sivas|Trabzon|Van",
    ),
    states: Words(
        "Ağrı|Amasya|Artvin|Bartın|Bilecik|Bolu|Burdur|Çorum|Giresun|Hatay|Iğdır|Karabük|\
         Kars|Kastamonu|Kırıkkale|Kırşehir|Kütahya|Malatya|Nevşehir|Niğde|Ordu|Rize|Sinop|\
         Tokat|Uşak|Yalova|Yozgat",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(###)-###-####"),
    cell: Pattern("(###)-###-####"),
    id: Id::Absent,
};
