//! India: numbers without separators.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const IN: Nationality = Nationality {
    code: "IN",
    country: "India",
    titles: Titles::ENGLISH,
    female: Words(
        "Aarohi|Aditi|Ananya|Anjali|Bhavna|Charvi|Deepa|Divya|Esha|Gauri|Harini|Indira|\
         Ishita|Jyoti|Kavya|Lakshmi|Madhuri|Meera|Nandini|Neha|Padma|Priya|Radhika|Riya|\
         Saanvi|Shreya|Sunita|Tanvi|Usha|Vidya",
    ),
    male: Words(
        "Aarav|Abhinav|Aditya|Ajay|Akash|Amit|Anand|Arjun|Ashok|Bharat|Chetan|Devansh|Dinesh|\
         Ganesh|Gopal|Harish|Ishaan|Karan|Kiran|Manoj|Mohan|Naveen|Nikhil|Pranav|Rajesh|\
         Rohan|Sanjay|Suresh|Varun|Vikram",
    ),
    last: Words(
        "Acharya|Agarwal|Banerjee|Bhatt|Chatterjee|Chauhan|Das|Desai|Deshmukh|Dutta|Gupta|\
         Iyer|Jain|Joshi|Kapoor|Kulkarni|Mehta|Menon|Mishra|Mukherjee|Nair|Pandey|Patil|Rao|\
         Reddy|Saxena|Sharma|Shetty|Trivedi|Verma",
    ),
    streets: Words(
        "Ambedkar Road|Bazaar Street|Canal Road|Gandhi Marg|Garden Lane|Gulmohar Road|\
         Hill Road|Lake View Road|Lotus Lane|MG Road|Nehru Street|Palace Road|Station Road|\
         Temple Street|Tilak Road",
    ),
    cities: Words(
        "Agra|Ahmedabad|Bengaluru|Bhopal|Chandigarh|Chennai|Coimbatore|Guwahati|Hyderabad|\
         Indore|Jaipur|Kochi|Kolkata|Lucknow|Madurai|Mumbai|Mysuru|Nagpur|Patna|Pune|Surat|\
         Vadodara|Varanasi",
    ),
    states: Words(
        "Assam|Bihar|Chhattisgarh|Goa|Gujarat|Haryana|Himachal Pradesh|Jharkhand|Karnataka|\
         Kerala|Madhya Pradesh|Maharashtra|Manipur|Nagaland|Odisha|Punjab|Rajasthan|Sikkim|\
         Tamil Nadu|Telangana|Uttarakhand|West Bengal",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("{789}#########"),
    cell: Pattern("{789}#########"),
    id: Id::Pattern("UIDAI", Pattern("############")),
};
