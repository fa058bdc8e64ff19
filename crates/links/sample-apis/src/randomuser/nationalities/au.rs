//! Australia: postcodes from 200, so three or four digits.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const AU: Nationality = Nationality {
    code: "AU",
    country: "Australia",
    titles: Titles::ENGLISH,
    female: Words(
        "Amelia|Bronwyn|Charlotte|Chloe|Daisy|Eliza|Evie|Freya|Gemma|Hannah|Imogen|Isla|\
         Jasmine|Kayla|Keira|Lara|Lucy|Matilda|Mia|Naomi|Olive|Piper|Poppy|Ruby|Sienna|Skye|\
         Tahlia|Willow|Zara|Zoe",
    ),
    male: Words(
        "Angus|Archie|Bailey|Beau|Callum|Cooper|Darcy|Dylan|Elijah|Finn|Flynn|Hamish|Hudson|\
         Jack|Jarrah|Jesse|Koa|Lachlan|Levi|Lincoln|Mason|Nate|Oscar|Patrick|Riley|Ryder|\
         Spencer|Toby|Tyson|Xavier",
    ),
    last: Words(
        "Abbott|Bailey|Barnes|Burke|Carter|Coleman|Dalton|Doyle|Ellis|Fletcher|Fraser|Gibson|\
         Harding|Hayes|Irwin|Kelly|Lawson|Macleay|Mitchell|Nolan|Osborne|Palmer|Quinn|Reid|\
         Sutherland|Tran|Turnbull|Walsh|Whitlam|Young",
    ),
    streets: Words(
        "Acacia Avenue|Banksia Street|Bottlebrush Court|Currawong Road|Esplanade|\
         Eucalyptus Drive|George Street|Jacaranda Crescent|Kookaburra Close|Lighthouse Road|\
         Macquarie Street|Ocean Parade|Railway Terrace|Wattle Grove|Wharf Street",
    ),
    cities: Words(
        "Adelaide|Albany|Ballarat|Bendigo|Brisbane|Broome|Bundaberg|Cairns|Canberra|\
         Coffs Harbour|Darwin|Dubbo|Fremantle|Geelong|Hobart|Launceston|Mildura|Newcastle|\
         Perth|Wagga Wagga",
    ),
    states: Words(
        "Australian Capital Territory|New South Wales|Northern Territory|Queensland|\
         South Australia|Tasmania|Victoria|Western Australia",
    ),
    postcode: Postcode::Number(200, 9999),
    phone: Pattern("0#-####-####"),
    cell: Pattern("04##-###-###"),
    id: Id::Pattern("TFN", Pattern("#########")),
};
